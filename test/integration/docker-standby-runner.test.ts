/** Standbys of the runner image; what must hold is the same for all three. */
import { standbySuite } from './standby.suite.ts';

standbySuite('runner');
