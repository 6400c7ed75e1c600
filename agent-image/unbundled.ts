/** The runner with an agent whose files are loaded one by one, as Node finds them. */
export { loadAgent } from './load-agent.ts';
export { Runner } from './runner.ts';
