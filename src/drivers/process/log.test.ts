// A log outlives its command and the server, and is bounded whoever looks after it.

import assert from 'node:assert/strict'
import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { describe } from 'node:test'
import { Held, until } from '#test/contract/driver.contract.ts'
import { law, type ProcessBench, runs, sh } from '#test/harness/process-bench.ts'
import { folderOf } from './folder.ts'
import { boundLog, readLog } from './log.ts'

const logBytesMax = 4096
/** Writes numbered lines for as long as it runs, about 60 KB a second. */
const talkative = sh(
  'n=0; while :; do n=$((n+1)); echo "line $n ....................................."; [ $((n % 50)) = 0 ] && sleep 0.04; done',
)

const linesOf = (
  { dataDir }: ProcessBench,
  held: Held,
  lines: number,
): Promise<readonly string[]> => readLog({ dataDir, instanceId: held.thing.id, lines })

const numberOf = (line: string | undefined): number => Number(line?.split(' ')[1])

describe('process: logs', () => {
  law(
    'both outputs are there in order, after the end too, until the thing is removed',
    async (bench) => {
      const held = new Held(
        bench.driver,
        bench.run({ command: sh('echo one; echo two >&2; printf three') }),
      )
      assert.deepEqual(await linesOf(bench, held, 10), [], 'none before there is one')
      await held.do('create')
      await held.do('start')
      await held.down()
      assert.deepEqual(await linesOf(bench, held, 10), ['one', 'two', 'three'])
      assert.deepEqual(await linesOf(bench, held, 2), ['two', 'three'])
      assert.deepEqual(await linesOf(bench, held, 0), [])
      await held.do('start')
      await held.down()
      assert.equal((await linesOf(bench, held, 10)).length, 5, 'a later run adds to it')
      await held.do('remove')
      assert.deepEqual(await linesOf(bench, held, 10), [])
    },
  )

  law(
    'a log stays within its bounds, also that of an adopted process, and its end is readable',
    async (bench) => {
      const driver = bench.configured({ logBytesMax, pollMs: 20 })
      const held = new Held(driver, bench.run({ command: talkative }))
      await held.do('create')
      await held.do('start')
      const { log } = folderOf(bench.dataDir, held.thing.id)
      const turned = async (after: number): Promise<number> => {
        await until(
          'it was moved aside',
          async () => numberOf((await linesOf(bench, held, 1))[0]) > after + 400,
        )
        assert.ok(statSync(`${log}.1`).size <= logBytesMax, 'the part moved aside is bounded')
        return numberOf((await linesOf(bench, held, 1))[0])
      }
      const first = await turned(0)
      await driver.close()
      await until('it outgrows its bounds unwatched', () => statSync(log).size > 3 * logBytesMax)
      held.driver = bench.configured({ logBytesMax, pollMs: 20 })
      await held.driver.adopt(held.thing)
      await until('its log is cut again', () => statSync(log).size < logBytesMax)
      await turned(first)
      await held.do('stop', 'hard')
      await held.down()
    },
  )

  law(
    'a log stays within its bounds while children of a command that has ended write it, also after a restart',
    async (bench) => {
      const parent = sh(`( ${talkative.at(-1) ?? ''} ) & exit 0`)
      const held = new Held(bench.driver, bench.run({ command: parent }))
      await held.do('create')
      await held.do('start')
      await held.down()
      await bench.driver.close()
      const { log } = folderOf(bench.dataDir, held.thing.id)
      await until('it outgrows its bounds unwatched', () => statSync(log).size > 3 * logBytesMax)
      held.driver = bench.configured({ logBytesMax, pollMs: 20 })
      await held.driver.adopt(held.thing)
      await until('its log is cut again', () => statSync(log).size < logBytesMax)
      await held.do('stop', 'hard')
    },
  )

  law('the last lines run on from the part moved aside to the newest', async (bench) => {
    const held = await runs(bench, { command: talkative })
    const { log } = folderOf(bench.dataDir, held.thing.id)
    await until('there is enough', () => statSync(log).size > 20_000)
    await held.do('stop', 'hard')
    await held.down()
    const whole = await linesOf(bench, held, 300)
    await boundLog(log, 10_000)
    assert.equal(statSync(log).size, 0)
    assert.equal(statSync(`${log}.1`).size, 10_000)
    assert.deepEqual(await linesOf(bench, held, 50), whole.slice(-50))
  })

  law('a log that has filled the disk is cut all the same', async (bench) => {
    const held = new Held(bench.driver, bench.run({ command: ['true'] }))
    await held.do('create')
    const { log } = folderOf(bench.dataDir, held.thing.id)
    writeFileSync(log, `${'old '.repeat(20_000)}new`)
    writeFileSync(`${log}.1`, 'older')
    // Whatever is written there meets a full disk, until the name is used for something else.
    symlinkSync('/dev/full', `${log}.new`)
    await boundLog(log, 3)
    assert.equal(statSync(log).size, 0)
    assert.equal(readFileSync(`${log}.1`, 'utf8'), 'new', 'there was room without the older part')
  })
})
