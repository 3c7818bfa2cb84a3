import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';

import { concurrency, countdown, main, payload, rounds } from './measure.mjs';

const quiet = new Logger(() => () => {});
const tuned = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };

let pool;
let utils;

const start = (tasks, how = {}) =>
  run({
    pgPool: pool,
    taskList: tasks,
    logger: quiet,
    noHandleSignals: true,
    preset: { worker: { concurrentJobs: concurrency, ...how } },
  });

main({
  async open(connection) {
    pool = new pg.Pool({ connectionString: connection, max: 20 });
    for (const event of ['error', 'connect']) pool.on(event, (what) => what.on?.('error', () => {}));
    utils = await makeWorkerUtils({ pgPool: pool, logger: quiet });
    await utils.migrate();
    await pool.query('TRUNCATE graphile_worker._private_jobs');
  },
  async push(count) {
    for (let n = 0; n < count; ++n) await utils.addJob('no_op', payload);
  },
  async pushMany(count) {
    await utils.addJobs(Array.from({ length: count }, () => ({ identifier: 'no_op', payload })));
  },
  async work(count, how) {
    const ran = countdown(count);
    const runner = await start({ no_op: async () => ran.one() }, how === 'tuned' ? tuned : {});
    await ran.done;
    await runner.stop();
  },
  async startOf(count) {
    let onStart;
    const runner = await start({ wake: async () => onStart(performance.now()) });
    const samples = await rounds(count, () => utils.addJob('wake', payload), (resolve) => (onStart = resolve));
    await runner.stop();
    return samples;
  },
  async close() {
    await utils.release();
  },
});
