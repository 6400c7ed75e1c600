/** Standbys of the python image; what must hold is the same for all three. */
import { standbySuite } from './standby.suite.ts';

standbySuite('python');
