// What stands before every action: is it a call at all, who signed it, does the action exist, may the caller.
// The order is the contract's, and whatever comes out goes back in one envelope.
// Source: contracts/volcengine-ecs.md section 5, evaluation order.

import { may } from '#kernel/access.ts'
import { err } from '#kernel/errors.ts'
import type { Identity } from '#kernel/ports/identity.ts'
import type { Plane } from '#kernel/ports/plane.ts'
import type { Answer, Exchange } from '#doors/shared/http.ts'
import { decodeQuery, type QueryPair, textOf } from '#doors/shared/signature.ts'
import { type Action, actions, apiVersion } from './actions.ts'
import { authorise, checkServed, prove, servedService } from './auth.ts'
import type { Outcome, Place } from './call.ts'
import { business, type Fault, gateway } from './faults.ts'
import { parametersOf } from './parameters.ts'
import { Reading } from './reading.ts'
import { type Asked, envelope, requestIdOf } from './wire.ts'

export interface Desk {
  readonly plane: Plane
  readonly identity: Identity
  readonly place: Place
}

/** What a request asks for, as far as it says; nothing of it is proven. */
export function askedOf(desk: Desk, exchange: Exchange, query: readonly QueryPair[]): Asked {
  const first = (name: string) => textOf(query.find((pair) => pair.name === name)?.value ?? '')
  return {
    requestId: requestIdOf(exchange.requestId, desk.plane.nowMs()),
    action: first('Action'),
    version: first('Version'),
    service: servedService,
    region: desk.place.region,
  }
}

export async function answer(desk: Desk, exchange: Exchange): Promise<Answer> {
  const query = decodeQuery(exchange.rawQuery, 'space')
  const asked = askedOf(desk, exchange, query)
  const refused = unaskable(exchange, asked)
  if (refused !== undefined) return envelope(asked, err(refused))
  const gate = { identity: desk.identity, nowMs: () => desk.plane.nowMs() }
  const proof = await prove(gate, exchange, query)
  if (!proof.ok) return envelope(asked, proof)
  // From here on the scope is the caller's own word, so the answer repeats it.
  const { region, service } = proof.value.claim
  const proven = { ...asked, region, service }
  const isServed = checkServed(proof.value)
  if (!isServed.ok) return envelope(proven, isServed)
  const action = asked.version === apiVersion ? actions.get(asked.action) : undefined
  if (action === undefined) {
    return envelope(proven, err(gateway.invalidActionOrVersion(asked.action, asked.version)))
  }
  const principal = await authorise(desk, proof.value)
  if (!principal.ok) return envelope(proven, principal)
  const { caller } = principal.value
  if (action.needs !== 'read' && !may(caller, action.needs)) {
    return envelope(proven, err(gateway.accessDenied(asked.action)))
  }
  return envelope(
    proven,
    await perform({ ...desk, exchange, query, action, asked: proven, principal: principal.value }),
  )
}

function unaskable({ method }: Exchange, { action, version }: Asked): Fault | undefined {
  if (method !== 'GET' && method !== 'POST') return gateway.methodNotAllowed
  if (action === '') return gateway.missingParameter('Action')
  return version === '' ? gateway.missingParameter('Version') : undefined
}

interface Admitted extends Desk {
  readonly exchange: Exchange
  readonly query: readonly QueryPair[]
  readonly action: Action
  readonly asked: Asked
  readonly principal: Parameters<Action['run']>[0]['principal']
}

async function perform({
  plane,
  place,
  exchange,
  query,
  action,
  asked,
  principal,
}: Admitted): Promise<Outcome> {
  const parameters = parametersOf(exchange, query)
  if (!parameters.ok) return err(business.invalidArgument)
  const { requestId, region } = asked
  const reading = new Reading(parameters.value)
  return await action.run({
    plane,
    place,
    principal,
    region,
    action: asked.action,
    requestId,
    reading,
  })
}
