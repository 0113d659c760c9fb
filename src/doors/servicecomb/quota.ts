// Limits on how many services and instances this deployment registers. Counting rows for each registration would
// make it dearer as the registry grows, so a count is kept between countings and may only be too high: what
// leaves is noticed when the limit seems reached and rows are counted again.
// Source: contracts/cse-registry.md sections 3.2 and 3.4.

import { err, type ErrorOf, type Result } from '#kernel/errors.ts'
import type { Reads } from '#kernel/ports/plane.ts'
import type { Settings } from './settings.ts'

export class Quota {
  readonly #count: () => Promise<number>
  readonly #what: 'service' | 'instance'
  readonly #limit: number
  #atMost = Infinity
  #pending = 0
  #counting: Promise<void> | undefined

  constructor(what: 'service' | 'instance', limit: number, count: () => Promise<number>) {
    this.#what = what
    this.#limit = limit
    this.#count = count
  }

  /** Registers one more, or refuses. `register` resolves when what it registers can be counted. */
  async within<T, E>(
    register: () => Promise<Result<T, E>>,
  ): Promise<Result<T, E | ErrorOf<'QuotaExceeded'>>> {
    if (this.#atMost >= this.#limit) await this.#recount()
    if (this.#atMost >= this.#limit)
      return err({ code: 'QuotaExceeded', what: this.#what, limit: this.#limit })
    this.#atMost += 1
    this.#pending += 1
    try {
      return await register()
    } finally {
      this.#pending -= 1
    }
  }

  /** Those under way may or may not be among the rows yet; counting them twice errs on the safe side. */
  #recount(): Promise<void> {
    this.#counting ??= this.#count()
      .then((rows) => {
        this.#atMost = rows + this.#pending
      })
      .finally(() => {
        this.#counting = undefined
      })
    return this.#counting
  }
}

export interface Quotas {
  readonly services: Quota
  readonly instances: Quota
}

export const quotas = (read: Pick<Reads, 'count'>, settings: Settings): Quotas => ({
  services: new Quota('service', settings.servicesMax, () =>
    read.count('services', { where: { kind: 'microservice' } }),
  ),
  instances: new Quota('instance', settings.instancesMax, () =>
    read.count('instances', { where: { kind: 'service-instance' } }),
  ),
})
