// What finds and watches need of the registry, kept in memory, so that a poll that brings nothing new reads no
// store. It is made from rows and follows commits row by row, before their requests are answered: what a client
// was told is what its next find shows. It decides nothing, and all of it can be forgotten and read again.
//
// - While rows are read, commits go on: those are remembered and put on top, in order, so no read is ever old.
// - Memory is bounded: what was not asked for the longest is forgotten first.

import type { InstanceId, ProjectId, ServiceId } from '#kernel/ids.ts'
import type { Plane, Reads } from '#kernel/ports/plane.ts'
import type { Commit, Query, Write } from '#kernel/ports/store.ts'
import type { Rows } from '#kernel/tables.ts'
import { Book, type Version } from './book.ts'

const pageRows = 1_000
const booksMax = 1_000

type Mirrored = 'services' | 'instances' | 'dependencies'

export class Mirror {
  readonly #read: Reads
  readonly #instancesMax: number
  readonly #books = new Map<ProjectId, Book>()
  readonly #reading = new Map<string, Promise<void>>()
  /** For each reading under way, what was committed since it began. */
  readonly #meanwhile = new Set<Write[]>()
  /** Whose row it is: a removed row names nothing but its id. */
  readonly #homes = new Map<string, Book>()
  #instances = 0

  /** @param instancesMax  kept as encoded text, about half a KiB each; at least as many as there can be. */
  constructor({ read }: Pick<Plane, 'read'>, instancesMax: number) {
    this.#read = read
    this.#instancesMax = instancesMax
  }

  /** A tenant's book, when it is in memory. */
  known(project: ProjectId): Book | undefined {
    return this.#books.get(project)
  }

  async book(project: ProjectId): Promise<Book> {
    for (;;) {
      const known = this.#books.get(project)
      if (known) {
        // Put in again at the end: the map's order is the order of last use.
        this.#books.delete(project)
        this.#books.set(project, known)
        return known
      }
      await this.#once(`book ${project}`, () => this.#readBook(project))
    }
  }

  /** The book, which is not forgotten until `watchers` is counted down again. */
  async pinned(project: ProjectId): Promise<Book> {
    for (;;) {
      const book = await this.book(project)
      if (this.#books.get(project) !== book) continue
      book.watchers += 1
      return book
    }
  }

  /** The book, with the instances of these versions in memory. What it tells is true in this turn. */
  async withInstances(project: ProjectId, pick: (book: Book) => readonly Version[]): Promise<Book> {
    for (;;) {
      const book = await this.book(project)
      const missing = pick(book).find(({ id }) => !book.hasSheet(id))
      if (!missing) return book
      await this.#once(`sheet ${missing.id}`, () => this.#readSheet(book, missing.id))
    }
  }

  /** Several who want the same thing wait for one reading. */
  async #once(key: string, read: () => Promise<void>): Promise<void> {
    const known = this.#reading.get(key)
    if (known) return known
    const reading = read().finally(() => this.#reading.delete(key))
    this.#reading.set(key, reading)
    return reading
  }

  #readBook(project: ProjectId): Promise<void> {
    const read = async (rows: Write[]): Promise<void> => {
      const services = { where: { project, kind: 'microservice' } }
      for await (const row of this.#all('services', services)) rows.push({ table: 'services', row })
      for await (const row of this.#all('dependencies', { where: { project } }))
        rows.push({ table: 'dependencies', row })
    }
    return this.#take(read, (writes) => {
      this.#books.set(project, new Book(project))
      for (const write of writes) this.#apply(write)
      this.#forgetOldest()
    })
  }

  #readSheet(book: Book, id: ServiceId): Promise<void> {
    const read = async (rows: Write[]): Promise<void> => {
      const order = { by: 'createdAtMs', dir: 'asc' } as const
      for await (const row of this.#all('instances', { where: { serviceId: id }, order }))
        rows.push({ table: 'instances', row })
    }
    return this.#take(read, (writes) => {
      // It may have been forgotten meanwhile, or the service have left: then nobody keeps it true.
      if (this.#books.get(book.project) !== book) return
      if (this.#instances > this.#instancesMax) this.#forgetSheets()
      if (!book.openSheet(id)) return
      for (const write of writes) if (write.table === 'instances') this.#apply(write)
    })
  }

  /** `keep` gets what was read, with all that was committed since on top, before anything more is committed. */
  async #take(
    read: (rows: Write[]) => Promise<void>,
    keep: (writes: readonly Write[]) => void,
  ): Promise<void> {
    const rows: Write[] = []
    const meanwhile: Write[] = []
    this.#meanwhile.add(meanwhile)
    try {
      await read(rows)
      keep([...rows, ...meanwhile])
    } finally {
      this.#meanwhile.delete(meanwhile)
    }
  }

  async *#all<T extends Mirrored>(
    table: T,
    query: Omit<Query<T>, 'limit' | 'after'>,
  ): AsyncGenerator<Rows[T]> {
    let after: { readonly id: string; readonly value?: number } | undefined
    for (;;) {
      const page = await this.#read.list(table, {
        ...query,
        limit: pageRows,
        ...(after ? { after } : {}),
      })
      yield* page
      const last = page.at(-1)
      if (!last || page.length < pageRows) return
      const value = query.order && 'createdAtMs' in last ? { value: last.createdAtMs } : {}
      after = { id: last.id, ...value }
    }
  }

  /**
   * Called for each commit, in order. `between` sees what was put and what is about to go, and gets the versions
   * whose tags have changed.
   */
  follow(commit: Commit, between: (retagged: readonly Version[]) => void): void {
    for (const meanwhile of this.#meanwhile) meanwhile.push(...commit.writes)
    const retagged: Version[] = []
    for (const write of commit.writes) {
      if ('remove' in write) continue
      const changed = this.#apply(write)
      if (changed) retagged.push(changed)
    }
    between(retagged)
    for (const write of commit.writes) if ('remove' in write) this.#apply(write)
  }

  /** @returns the version of a service whose tags have changed. */
  #apply(write: Write): Version | undefined {
    if ('remove' in write) {
      this.#remove(write)
      return undefined
    }
    switch (write.table) {
      case 'services': {
        const book = this.#books.get(write.row.project)
        if (!book || write.row.kind !== 'microservice') return undefined
        this.#homes.set(write.row.id, book)
        return book.putService(write.row)
      }
      case 'dependencies': {
        const book = this.#books.get(write.row.project)
        if (!book) return undefined
        this.#homes.set(write.row.id, book)
        book.putDependency(write.row)
        return undefined
      }
      case 'instances': {
        const book = this.#books.get(write.row.project)
        if (!book?.putInstance(write.row)) return undefined
        if (!this.#homes.has(write.row.id)) this.#instances += 1
        this.#homes.set(write.row.id, book)
        return undefined
      }
      default:
        return undefined
    }
  }

  #remove({ table, remove: id }: { readonly table: string; readonly remove: string }): void {
    const book = this.#homes.get(id)
    if (!book) return
    this.#homes.delete(id)
    if (table === 'services') this.#forgetInstances(book.removeService(id as ServiceId)) // the table's ids
    if (table === 'dependencies') book.removeDependency(id)
    if (table === 'instances') {
      this.#instances -= 1
      book.removeInstance(id as InstanceId) // the table's ids
    }
  }

  #forgetInstances(ids: readonly InstanceId[]): void {
    for (const id of ids) if (this.#homes.delete(id)) this.#instances -= 1
  }

  #forgetOldest(): void {
    for (const [project, book] of this.#books) {
      if (this.#books.size <= booksMax) return
      if (book.watchers > 0) continue
      this.#books.delete(project)
      for (const id of book.rowIds()) this.#homes.delete(id)
      this.#forgetInstances(book.closeSheets())
    }
  }

  #forgetSheets(): void {
    for (const book of this.#books.values()) {
      this.#forgetInstances(book.closeSheets())
      if (this.#instances <= this.#instancesMax / 2) return
    }
  }
}
