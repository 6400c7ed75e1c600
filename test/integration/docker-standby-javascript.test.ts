/** Standbys of the javascript image; what must hold is the same for all three. */
import { standbySuite } from './standby.suite.ts';

standbySuite('javascript');
