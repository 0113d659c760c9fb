// Who acted last on a thing. Every act takes the next number before it does anything else; a shell that was
// started for an earlier number gives up (shim.sh), and an act of an earlier attempt is refused here.
//
// - A number is a symbolic link, `fence.<number>`, whose target is the attempt: made with its content in one
//   system call that fails when the name is taken, so two acts never share a number.
// - Numbers are removed in rising order, and only below one's own: while a later one exists, an earlier one is
//   missing or that later one is seen. shim.sh relies on it.
// - The first number is random: a folder that is removed and made again does not repeat the numbers for which
//   some late shell may still be on its way.

import { randomInt } from 'node:crypto'
import { readdir, readlink, symlink, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { err, ok, type Result } from '#kernel/errors.ts'
import { codeOf, isNoRoom } from '../shared/world.ts'

const firstMax = 2 ** 40

type Refusal = { readonly latest: number }

/** Takes the next number for this attempt, or says which later attempt has acted already. */
export async function takeFence(
  control: string,
  attempt: number,
): Promise<Result<number, Refusal>> {
  for (;;) {
    const taken = await fences(control)
    const last = taken.at(-1)
    const latest = last === undefined ? 0 : await attemptOf(control, last)
    // Removed between the two looks: a later one was made meanwhile.
    if (latest === null) continue
    if (latest > attempt) return err({ latest })
    const mine = last === undefined ? randomInt(1, firstMax) : last + 1
    try {
      await symlink(String(attempt), join(control, `fence.${mine}`))
    } catch (thrown) {
      if (codeOf(thrown) === 'EEXIST') continue
      throw thrown
    }
    for (const earlier of taken) await unlink(join(control, `fence.${earlier}`)).catch(goneAlready)
    return ok(mine)
  }
}

/**
 * The same for acts that make room. On a full disk no number can be taken, so nothing can begin to run either, and
 * what fills it must not be kept alive by that: they go ahead without one, unless a later attempt has acted.
 */
export async function takeFenceIfRoom(
  control: string,
  attempt: number,
): Promise<Result<number | null, Refusal>> {
  try {
    return await takeFence(control, attempt)
  } catch (thrown) {
    if (isNoRoom(thrown)) return ok(null)
    throw thrown
  }
}

/** Whether no act has followed the one with this number. */
export async function isLatest(control: string, fence: number): Promise<boolean> {
  return (await fences(control)).at(-1) === fence
}

async function fences(control: string): Promise<readonly number[]> {
  const names = await readdir(control)
  return names
    .flatMap((name) => (/^fence\.\d+$/.test(name) ? [Number(name.slice('fence.'.length))] : []))
    .toSorted((a, b) => a - b)
}

async function attemptOf(control: string, fence: number): Promise<number | null> {
  try {
    return Number(await readlink(join(control, `fence.${fence}`)))
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return null
    throw thrown
  }
}

function goneAlready(thrown: unknown): void {
  if (codeOf(thrown) !== 'ENOENT') throw thrown
}
