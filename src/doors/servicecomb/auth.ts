// Who is asking. With accounts off, the registry asks for no credentials, as the original: whoever reaches it acts
// for the tenant that he names. A tenant is the pair (domain, project), and nothing of one pair is visible from
// another. What such a caller may do is what a member may, and this door asks for registry requests only.
//
// A pair of the default domain and a known project is that project of ours, so its services are seen through the
// other doors too; every other pair is a project that exists here alone.
// Source: contracts/cse-registry.md sections 1.1, 8 and 9.3.

import type { Account } from '#kernel/account.ts'
import type { Caller } from '#kernel/caller.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import { type ProjectId, projectId, userId } from '#kernel/ids.ts'
import type { Identity } from '#kernel/ports/identity.ts'
import type { Plane } from '#kernel/ports/plane.ts'
import { type Exchange, header } from '../shared/http.ts'
import { type Fault, invalid } from './faults.ts'
import { firstFault, rules } from './rules.ts'

const defaultDomain = 'default'
/** Paths of the older protocol name no project. */
const defaultProject = 'default'

export interface Tenant {
  readonly domain: string
  readonly project: string
}

export function tenantOf(
  exchange: Pick<Exchange, 'headers' | 'params'>,
  { strictDomain }: { readonly strictDomain: boolean },
): Result<Tenant, Fault> {
  const project = exchange.params['project'] ?? defaultProject
  const sent = header(exchange, 'x-domain-name') ?? ''
  const bad = firstFault('Request', [
    ['Project', project, rules.project],
    ['Domain', sent, rules.domain],
  ])
  if (bad) return err(bad)
  if (sent === '' && strictDomain) return err(invalid('Header x-domain-name is required.'))
  return ok({ domain: sent || defaultDomain, project })
}

/** Tenants whose project is remembered. */
const rememberedMax = 10_000

/** Finds the caller of a tenant; remembers which tenant is which project until a project changes. */
export class Tenants {
  readonly #identity: Pick<Identity, 'project'>
  readonly #known = new Map<string, ProjectId>()

  constructor({ identity, plane }: { readonly identity: Identity; readonly plane: Plane }) {
    this.#identity = identity
    plane.follow((events) => {
      const changed = events.some(
        (event) => event.type === 'catalogue.changed' && event.data['table'] === 'projects',
      )
      if (changed) this.#known.clear()
    })
  }

  /** Where accounts are asked for, a change is the account's. */
  async callerOf(tenant: Tenant, account: Account | null): Promise<Caller> {
    return {
      userId: userId(account === null ? 'registry' : `registry:${account.id}`),
      userName: account?.id ?? 'registry',
      projectId: await this.#projectOf(tenant),
      projectName: tenant.project,
      domainId: tenant.domain,
      role: 'member',
    }
  }

  async #projectOf(tenant: Tenant): Promise<ProjectId> {
    const key = syntheticId(tenant)
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const found = await this.#lookUp(tenant)
    if (this.#known.size >= rememberedMax) this.#known.clear()
    this.#known.set(key, found)
    return found
  }

  async #lookUp(tenant: Tenant): Promise<ProjectId> {
    if (tenant.domain.toLowerCase() !== defaultDomain) return syntheticId(tenant)
    const project =
      (await this.#identity.project({ id: tenant.project })) ??
      (await this.#identity.project({ name: tenant.project, domainId: defaultDomain }))
    return project?.id ?? syntheticId(tenant)
  }
}

/** Both parts are encoded, so that no two pairs have one id and none looks like a project's own. */
const syntheticId = ({ domain, project }: Tenant): ProjectId =>
  projectId(`${encodeURIComponent(domain)}/${encodeURIComponent(project)}`)
