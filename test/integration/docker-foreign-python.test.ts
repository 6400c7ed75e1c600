/** The python image through containers; what must hold is the same for all three. */
import { foreignSuite } from './foreign.suite.ts';

foreignSuite('python');
