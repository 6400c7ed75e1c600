/** Which faults are possible right now, and how often each was drawn. */
import type { Dice } from './dice.ts';
import type { Fault } from './story.ts';

export class Faults {
  /** How often each came true. */
  readonly drawn = new Map<string, number>();
  readonly #open = new Map<Fault, number[]>();
  readonly #dice: Dice;

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  open(fault: Fault, chance: number): void {
    this.#open.set(fault, [...(this.#open.get(fault) ?? []), chance]);
  }

  close(fault: Fault, chance: number): void {
    const open = this.#open.get(fault) ?? [];
    open.splice(open.indexOf(chance), 1);
  }

  isOpen(fault: Fault): boolean {
    return (this.#open.get(fault)?.length ?? 0) > 0;
  }

  get any(): boolean {
    for (const open of this.#open.values()) if (open.length > 0) return true;
    return false;
  }

  /** Does it come true every time? */
  sure(fault: Fault): boolean {
    return this.#open.get(fault)?.includes(1) ?? false;
  }

  /** Does it come true this time? */
  hits(fault: Fault, of: string): boolean {
    const open = this.#open.get(fault);
    if (!open || open.length === 0) return false;
    if (!this.#dice.chance(Math.max(...open), `${fault} ${of}`)) return false;
    this.count(fault);
    return true;
  }

  count(what: string): void {
    this.drawn.set(what, (this.drawn.get(what) ?? 0) + 1);
  }
}
