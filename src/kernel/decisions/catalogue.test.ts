import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { admin, Board, code, flavor, member, stranger } from '#test/harness/board.ts'
import { projectId } from '../ids.ts'

const p1 = projectId('p1')
const p2 = projectId('p2')

function boardWith(projects?: readonly (typeof p1)[]): Board {
  const board = new Board([flavor(projects ? { projects } : {})])
  const plain = { domainId: 'default', enabled: true, description: '', frozen: false }
  const rest = { lacksBalance: false, releasesByDefault: false, deniedFlavors: [] }
  for (const id of [p1, p2]) board.put('projects', { id, name: id, ...plain, ...rest })
  return board
}

const small = {
  verb: 'create',
  kind: 'server',
  name: 'n',
  flavorId: 'small',
  imageId: 'sim',
} as const

describe('a flavor of some projects', () => {
  it('is as good as none to the others, but not to an admin', () => {
    const board = boardWith([p2])
    assert.deepEqual(board.ask(small, { as: member }), {
      ok: false,
      error: { code: 'NotFound', what: 'flavor', id: 'small' },
    })
    board.must(small, { as: stranger })
    board.must(small, { as: admin })
  })

  it('is given and taken one project at a time, and twice is once', () => {
    const board = boardWith([])
    const access = (project: typeof p1, isGranted: boolean) =>
      board.must(
        { verb: 'edit-flavor', id: 'small', access: { project, isGranted } },
        { as: admin },
      )
    assert.equal(access(p1, true).unchanged, undefined)
    assert.equal(access(p2, true).unchanged, undefined)
    assert.equal(access(p1, true).unchanged, 'already')
    assert.deepEqual(board.get('flavors', 'small')?.projects, [p1, p2])
    assert.equal(access(p1, false).unchanged, undefined)
    assert.equal(access(p1, false).unchanged, 'already')
    assert.deepEqual(board.get('flavors', 'small')?.projects, [p2])
    assert.equal(board.events.filter(({ type }) => type === 'catalogue.changed').length, 3)
  })

  it('stays a flavor of nobody when the last one has lost it', () => {
    const board = boardWith([p1])
    const access = { project: p1, isGranted: false }
    board.must({ verb: 'edit-flavor', id: 'small', access }, { as: admin })
    assert.equal(code(board.ask(small, { as: member })), 'NotFound')
  })

  it('that is everybody’s is taken from nobody', () => {
    const board = boardWith()
    for (const isGranted of [true, false]) {
      const access = { project: p1, isGranted }
      const receipt = board.must({ verb: 'edit-flavor', id: 'small', access }, { as: admin })
      assert.equal(receipt.unchanged, 'already')
    }
    board.must(small, { as: stranger })
  })

  it('is an admin’s to give, and to a project that there is', () => {
    const board = boardWith([])
    const access = { project: p1, isGranted: true }
    assert.equal(code(board.ask({ verb: 'edit-flavor', id: 'small', access })), 'Forbidden')
    const strange = { project: projectId('none'), isGranted: true }
    const asked = board.ask({ verb: 'edit-flavor', id: 'small', access: strange }, { as: admin })
    assert.deepEqual(asked, { ok: false, error: { code: 'NotFound', what: 'project', id: 'none' } })
  })
})

describe('what is said of a flavor', () => {
  it('is merged fact by fact, and what is null goes', () => {
    const board = boardWith()
    const say = (change: Readonly<Record<string, string | null>>) =>
      board.must({ verb: 'edit-flavor', id: 'small', facts: { under: 'x', change } }, { as: admin })
    say({ colour: 'red', size: 'big' })
    say({ colour: null, shape: 'round' })
    assert.deepEqual(board.get('flavors', 'small')?.attributes, {
      x: { size: 'big', shape: 'round' },
    })
  })
})

describe('a new flavor', () => {
  it('has an id and a name that no other has', () => {
    const board = boardWith()
    const put = (id: string, name: string) =>
      board.ask(
        { verb: 'put', table: 'flavors', row: flavor({ id, name }), isNew: true },
        { as: admin },
      )
    assert.deepEqual(put('other', 'small'), {
      ok: false,
      error: { code: 'AlreadyExists', what: 'flavor', name: 'small', id: 'small' },
    })
    assert.equal(code(put('small', 'other')), 'AlreadyExists')
    assert.ok(put('other', 'other').ok)
  })
})
