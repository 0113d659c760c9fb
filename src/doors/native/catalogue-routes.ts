// The routes of the catalogue: the same three for each of its tables.

import type { TSchema } from 'typebox'
import type { Result } from '#kernel/errors.ts'
import * as hears from './bodies.ts'
import {
  getFrom,
  listShelf,
  putDriver,
  putFlavor,
  putImage,
  putNode,
  putPool,
  putProject,
  type Shelf,
} from './catalogue.ts'
import { type Asked, type Endpoint, endpoint, type Read, type Reply } from './endpoint.ts'
import type { Fault } from './faults.ts'
import * as says from './wire.ts'

const { receipt } = says

interface Shelved<S extends TSchema> {
  readonly noun: string
  readonly shown: TSchema
  readonly put: S
  readonly handle: NoInfer<(asked: Asked<undefined, Read<S>>) => Promise<Result<Reply, Fault>>>
  /** What setting one is good for. */
  readonly doc: string
}

/** The same three routes for each table of the catalogue. */
const shelf = <S extends TSchema>(
  name: Shelf,
  { noun, shown, put, handle, doc }: Shelved<S>,
): readonly Endpoint[] => [
  endpoint({
    method: 'GET',
    path: `/${name}`,
    operation: `list${noun}s`,
    summary: `Every ${noun.toLowerCase()} that you may see.`,
    tag: 'catalogue',
    role: 'reader',
    query: hears.listCatalogue,
    answers: { 200: says.pageOf(shown) },
    handle: listShelf(name),
  }),
  endpoint({
    method: 'GET',
    path: `/${name}/:id`,
    operation: `get${noun}`,
    summary: `One ${noun.toLowerCase()}.`,
    tag: 'catalogue',
    role: 'reader',
    answers: { 200: shown },
    handle: getFrom(name),
  }),
  endpoint<undefined, S>({
    method: 'PUT',
    path: `/${name}/:id`,
    operation: `put${noun}`,
    summary: `${doc} A field left out keeps its value, or gets its default.`,
    tag: 'catalogue',
    role: 'admin',
    body: put,
    answers: { 200: receipt, 201: receipt },
    handle,
  }),
]

export const catalogueEndpoints: readonly Endpoint[] = [
  ...shelf('flavors', {
    noun: 'Flavor',
    shown: says.flavor,
    put: hears.putFlavor,
    handle: putFlavor,
    doc: 'Set a size: driver, billing, capacity pool.',
  }),
  ...shelf('images', {
    noun: 'Image',
    shown: says.image,
    put: hears.putImage,
    handle: putImage,
    doc: 'Set what runs.',
  }),
  ...shelf('pools', {
    noun: 'Pool',
    shown: says.pool,
    put: hears.putPool,
    handle: putPool,
    doc: 'Set how much capacity there is; what waits is served when it grows.',
  }),
  ...shelf('nodes', {
    noun: 'Node',
    shown: says.node,
    put: hears.putNode,
    handle: putNode,
    doc: 'Set an edge node, or say that it is out of contact.',
  }),
  ...shelf('drivers', {
    noun: 'Driver',
    shown: says.driver,
    put: hears.putDriver,
    handle: putDriver,
    doc: 'Take a driver out of use, or back.',
  }),
  ...shelf('projects', {
    noun: 'Project',
    shown: says.project,
    put: hears.putProject,
    handle: putProject,
    doc: 'Set a project and what its account allows.',
  }),
]
