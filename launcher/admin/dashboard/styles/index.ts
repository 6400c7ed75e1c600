/** The dashboard's style sheet in one. */
import { CONTROLS } from './controls.ts';
import { FRAME } from './frame.ts';
import { PAGES } from './pages.ts';
import { TABLES } from './tables.ts';

/** Narrow windows come last: they change what stands before. */
export const STYLE = [FRAME, CONTROLS, TABLES, PAGES].join('\n');
