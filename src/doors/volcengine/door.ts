// The door of Volcengine ECS: one path, actions in the query, signed requests, one envelope for all answers.

import type { Static } from 'typebox'
import { err } from '#kernel/errors.ts'
import { type DoorKind, type Exchange, header } from '#doors/shared/http.ts'
import { decodeQuery } from '#doors/shared/signature.ts'
import { Type } from '#schema/type.ts'
import { absent } from './actions.ts'
import { gateway, unrouted } from './faults.ts'
import { askedOf, type Desk } from './gateway.ts'
import { routes } from './routes.ts'
import { envelope } from './wire.ts'

const name = '^[A-Za-z0-9-]{1,64}$'

const settings = Type.Object(
  {
    region: Type.Optional(
      Type.String({
        pattern: name,
        description:
          'The region whose instances these are; any other is empty. Default: cn-beijing.',
      }),
    ),
    zones: Type.Optional(
      Type.Array(Type.String({ pattern: name }), {
        minItems: 1,
        uniqueItems: true,
        description:
          'Zones of the region; the first is where instances are that nobody placed. Default: -a and -b.',
      }),
    ),
  },
  { additionalProperties: false },
)

const regionDefault = 'cn-beijing'

export const volcengine: DoorKind<typeof settings> = {
  name: 'volcengine',
  settings,
  open({ plane, identity, settings: given }) {
    const desk: Desk = { plane, identity, place: placeOf(given) }
    return {
      name: 'volcengine',
      routes: routes(desk),
      absent,
      claims: isOurs,
      refuse: (why, exchange) => {
        const asked = askedOf(desk, exchange, decodeQuery(exchange.rawQuery, 'space'))
        const isCall = exchange.rawPath === '/' || why !== 'not-found'
        const { action, version } = asked
        if (!isCall) return envelope(asked, err(gateway.invalidActionOrVersion(action, version)))
        if (why === 'not-found' && action !== '') {
          return envelope(asked, err(gateway.missingParameter('Version')))
        }
        return envelope(asked, err(unrouted[why]))
      },
    }
  },
}

function placeOf({ region = regionDefault, zones }: Static<typeof settings>): Desk['place'] {
  return { region, zones: zones ?? [`${region}-a`, `${region}-b`] }
}

/** What is signed for this cloud, or names an action, though it matched no route. */
function isOurs(exchange: Exchange): boolean {
  if (header(exchange, 'authorization')?.startsWith('HMAC-SHA256') === true) return true
  const query = decodeQuery(exchange.rawQuery, 'space')
  return query.some((pair) => pair.name === 'Action' || pair.name === 'X-Credential')
}
