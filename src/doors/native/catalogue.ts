// What instances are made of and where they run: flavors, images, pools, nodes, drivers, projects.
// Everybody sees them; an admin sets them, and thereby every condition that a refusal anywhere can
// be about.
//
// - A put leaves alone what it does not name; what is new gets defaults.
// - A project shows nothing to those who are not in it.

import {
  type Flavor,
  type Image,
  isFlavorOf,
  isImageOf,
  plainFlavor,
  storages,
} from '#kernel/catalogue.ts'
import { err, ok, type Result } from '#kernel/errors.ts'
import { type ProjectId, projectId } from '#kernel/ids.ts'
import type { PutCatalogue } from '#kernel/request.ts'
import type { Project } from '#kernel/project.ts'
import type { Rows } from '#kernel/tables.ts'
import type {
  ListCatalogueQuery,
  PutDriverBody,
  PutFlavorBody,
  PutImageBody,
  PutNodeBody,
  PutPoolBody,
  PutProjectBody,
} from './bodies.ts'
import { change } from './changes.ts'
import { showDriver, showFlavor, showImage, showNode, showPool, showProject } from './encode.ts'
import { type Asked, base, type Reply } from './endpoint.ts'
import { type Fault, faultOf } from './faults.ts'
import { pageOfRows } from './pages.ts'

type Replied = Promise<Result<Reply, Fault>>
export type Shelf = PutCatalogue['table']

const nouns = {
  flavors: 'flavor',
  images: 'image',
  pools: 'pool',
  nodes: 'node',
  drivers: 'driver',
  projects: 'project',
} as const satisfies Record<Shelf, string>

type Shows = { readonly [S in Shelf]: (row: Rows[S], isAdmin: boolean) => object }
const shows: Shows = {
  flavors: showFlavor,
  images: showImage,
  pools: showPool,
  nodes: showNode,
  drivers: showDriver,
  projects: showProject,
}

/** Who is no admin sees the own project, no flavor of others alone, and no image that another one captured. */
function keepFor<S extends Shelf>(
  shelf: S,
  project: ProjectId,
): { readonly keep?: (row: Rows[S]) => boolean } {
  if (shelf === 'projects') return { keep: ({ id }) => id === project }
  if (shelf === 'flavors') return { keep: (row) => isFlavorOf(row as Rows['flavors'], project) } // as its shelf says
  return shelf === 'images' ? { keep: (row) => isImageOf(row as Rows['images'], project) } : {} // as its shelf says
}

export const listShelf =
  <S extends Shelf>(shelf: S) =>
  async (asked: Asked<ListCatalogueQuery>): Replied => {
    const { plane, caller, query } = asked
    const isAdmin = caller.role === 'admin'
    const page = await pageOfRows(plane.read, shelf, {
      ...query,
      ...(isAdmin ? {} : keepFor(shelf, asked.project)),
    })
    if (!page.ok) return page
    const items = page.value.rows.map((row) => shows[shelf](row, isAdmin))
    return ok({ status: 200, body: { items, nextCursor: page.value.nextCursor } })
  }

export const getFrom =
  <S extends Shelf>(shelf: S) =>
  async (asked: Asked): Replied => {
    const row = await rowOf(asked, shelf)
    if (!row) return unknown(asked, shelf)
    return ok({ status: 200, body: shows[shelf](row, asked.caller.role === 'admin') })
  }

const idOf = (asked: Pick<Asked, 'params'>): string => asked.params['id'] ?? ''

async function rowOf<S extends Shelf>(
  asked: Asked<unknown, unknown>,
  shelf: S,
): Promise<Rows[S] | undefined> {
  const isHidden =
    shelf === 'projects' && asked.caller.role !== 'admin' && idOf(asked) !== asked.project
  const row = isHidden ? undefined : await asked.plane.read.get(shelf, idOf(asked))
  const isTheirs = row && keepFor(shelf, asked.project).keep?.(row) === false
  return isTheirs && asked.caller.role !== 'admin' ? undefined : row
}

const unknown = (asked: Pick<Asked, 'params'>, shelf: Shelf) =>
  err(faultOf({ code: 'NotFound', what: nouns[shelf], id: idOf(asked) }))

const idText = /^[^\p{C}/]{1,128}$/u

async function put(asked: Asked<unknown, unknown>, request: PutCatalogue): Replied {
  if (!idText.test(request.row.id))
    return err(
      faultOf({
        code: 'BadField',
        field: 'id',
        fault: 'value',
        expected: '1 to 128 characters, none of them a slash or a control character',
      }),
    )
  const isKnown = (await asked.plane.read.get(request.table, request.row.id)) !== undefined
  // A name may be of any script; a header is not.
  const place = `${base}/${request.table}/${encodeURIComponent(request.row.id)}`
  return await change(asked, request, { madeAt: () => (isKnown ? undefined : place) })
}

const missing = (field: string) =>
  err(faultOf({ code: 'BadField', field, fault: 'missing', expected: '' }))

export async function putFlavor(asked: Asked<undefined, PutFlavorBody>): Replied {
  const known = await rowOf(asked, 'flavors')
  const { pool, projects, ...body } = asked.body
  const { kinds = known?.kinds, driver = known?.driver } = body
  if (kinds === undefined) return missing('kinds')
  if (driver === undefined) return missing('driver')
  const id = idOf(asked)
  const poolId = pool === undefined ? {} : { poolId: pool }
  const { projects: given, ...kept }: Partial<Flavor> = known ?? {}
  const theirs = projects === undefined ? given : (projects?.map(projectId) ?? undefined)
  const row: Flavor = {
    ...plainFlavor,
    name: id,
    ...kept,
    ...body,
    ...poolId,
    ...(theirs && { projects: theirs }),
    id,
    kinds,
    driver,
  }
  return await put(asked, { verb: 'put', table: 'flavors', row })
}

export async function putImage(asked: Asked<undefined, PutImageBody>): Replied {
  const known = await rowOf(asked, 'images')
  const { kinds = known?.kinds } = asked.body
  if (kinds === undefined) return missing('kinds')
  const id = idOf(asked)
  const plain: Omit<Image, 'id' | 'kinds'> = {
    name: id,
    launch: {},
    hardware: 'CPU',
    attributes: {},
  }
  return await put(asked, {
    verb: 'put',
    table: 'images',
    row: { ...plain, ...known, ...asked.body, id, kinds },
  })
}

export const putPool = async (asked: Asked<undefined, PutPoolBody>): Replied =>
  await put(asked, { verb: 'put', table: 'pools', row: { id: idOf(asked), ...asked.body } })

export async function putNode(asked: Asked<undefined, PutNodeBody>): Replied {
  const known = await rowOf(asked, 'nodes')
  const id = idOf(asked)
  const plain = { name: id, state: 'ready' as const, attributes: {} }
  return await put(asked, {
    verb: 'put',
    table: 'nodes',
    row: { ...plain, ...known, ...asked.body, id },
  })
}

/** A driver is made by configuration; here it, or a storage back end, can only be taken out of use and back. */
export async function putDriver(asked: Asked<undefined, PutDriverBody>): Replied {
  const storage = storages.find((one) => one === idOf(asked))
  const known = (await rowOf(asked, 'drivers')) ?? (storage && { id: storage })
  if (!known) return unknown(asked, 'drivers')
  const { available, reason = null, part = null, fault } = asked.body
  const { fault: _, ...kept } = { fault: undefined, ...known }
  const row = { ...kept, available, reason, part, ...(available || !fault ? {} : { fault }) }
  return await put(asked, { verb: 'put', table: 'drivers', row })
}

export async function putProject(asked: Asked<undefined, PutProjectBody>): Replied {
  const id = projectId(idOf(asked))
  const known = await rowOf(asked, 'projects')
  const { name = known?.name } = asked.body
  if (name === undefined) return missing('name')
  const plain: Omit<Project, 'id' | 'name'> = {
    domainId: asked.caller.domainId,
    enabled: true,
    description: '',
    frozen: false,
    lacksBalance: false,
    releasesByDefault: false,
    deniedFlavors: [],
  }
  return await put(asked, {
    verb: 'put',
    table: 'projects',
    row: { ...plain, ...known, ...asked.body, id, name },
  })
}
