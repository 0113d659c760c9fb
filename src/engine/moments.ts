// What comes next, among many: a binary heap whose entries know their place, so that one can be moved or taken
// out without a search.

export interface Moment {
  atMs: number
  /** Its place in the heap; -1 while it is in none. */
  place: number
}

export class Moments<Entry extends Moment> {
  readonly #heap: Entry[] = []

  get size(): number {
    return this.#heap.length
  }

  /** Puts it in, or moves it. */
  set(entry: Entry, atMs: number): void {
    entry.atMs = atMs
    if (entry.place === -1) {
      entry.place = this.#heap.length
      this.#heap.push(entry)
    }
    this.#sink(this.#rise(entry.place))
  }

  delete(entry: Entry): void {
    const { place } = entry
    if (place === -1) return
    const last = this.#heap.pop()
    entry.place = -1
    if (!last || last === entry) return
    this.#put(last, place)
    this.#sink(this.#rise(place))
  }

  /** Takes out the first one whose moment has come. */
  take(nowMs: number): Entry | undefined {
    const [first] = this.#heap
    if (!first || first.atMs > nowMs) return undefined
    this.delete(first)
    return first
  }

  /** All of them, which changes no order. */
  shift(byMs: number): void {
    for (const entry of this.#heap) entry.atMs += byMs
  }

  #put(entry: Entry, place: number): void {
    this.#heap[place] = entry
    entry.place = place
  }

  #swap(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]]
    if (!one || !other || one.atMs <= other.atMs) return false
    this.#put(other, a)
    this.#put(one, b)
    return true
  }

  #rise(place: number): number {
    let at = place
    while (at > 0 && this.#swap((at - 1) >> 1, at)) at = (at - 1) >> 1
    return at
  }

  #sink(place: number): void {
    let at = place
    for (;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      const isRightSooner =
        (this.#heap[right]?.atMs ?? Infinity) < (this.#heap[left]?.atMs ?? Infinity)
      const sooner = isRightSooner ? right : left
      if (!this.#swap(at, sooner)) return
      at = sooner
    }
  }
}
