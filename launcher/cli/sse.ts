/** Reads server-sent events: the text of a stream, cut anywhere, to messages. Pure. */

export interface Message {
  /** Of the newest message that had one. */
  readonly id: string;
  readonly data: string;
}

/** Of one message: a stream that is none must not fill the memory. */
const MESSAGE_LENGTH_MAX = 1_000_000;

/** Gives each message once its last line is there; comments and other fields are left out. */
export class SseReader {
  #rest = '';
  #id = '';
  #data: string[] = [];

  /** Throws for a message without an end. */
  take(piece: string): Message[] {
    const lines = (this.#rest + piece).split(/\r\n|\n/);
    this.#rest = lines.pop() ?? '';
    const messages = lines.flatMap((line) => this.#line(line) ?? []);
    const held = this.#data.reduce((sum, { length }) => sum + length, this.#rest.length);
    if (held > MESSAGE_LENGTH_MAX) throw new Error('that is no stream of events');
    return messages;
  }

  #line(line: string): Message | null {
    if (line === '') {
      const data = this.#data.join('\n');
      const whole = this.#data.length > 0;
      this.#data = [];
      return whole ? { id: this.#id, data } : null;
    }
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'data') this.#data.push(value);
    else if (field === 'id') this.#id = value;
    return null;
  }
}
