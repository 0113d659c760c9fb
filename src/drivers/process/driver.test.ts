import { driverContract } from '#test/contract/driver.contract.ts'
import { processBench } from '#test/harness/process-bench.ts'

driverContract('process', processBench)
