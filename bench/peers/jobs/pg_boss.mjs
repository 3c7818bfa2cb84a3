import { PgBoss } from 'pg-boss';

import { concurrency, countdown, main, payload, rounds } from './measure.mjs';

const queue = 'bench';
const noticed = 'bench_noticed';  // a worker is told of its jobs, and so looks by itself every 30 s only
let boss;

main({
  async open(connection) {
    boss = new PgBoss({ connectionString: connection, max: 20, useListenNotify: true });
    boss.on('error', () => {});
    await boss.start();
    await boss.createQueue(queue);
    await boss.createQueue(noticed, { notify: true });
    for (const each of [queue, noticed]) await boss.deleteAllJobs(each);
  },
  async push(count) {
    for (let n = 0; n < count; ++n) await boss.send(queue, payload);
  },
  async pushMany(count) {
    await boss.insert(queue, Array.from({ length: count }, () => ({ data: payload })));
  },
  async work(count, how) {
    const ran = countdown(count);
    const tuned = { batchSize: 500, burstWhenBatchFull: true, localConcurrency: 2, pollingIntervalSeconds: 0.5 };
    await boss.work(queue, how === 'tuned' ? tuned : { localConcurrency: concurrency }, async (jobs) => {
      for (const _ of jobs) ran.one();
    });
    await ran.done;
    await boss.offWork(queue);
  },
  async startOf(count) {
    let onStart;
    await boss.work(noticed, async () => onStart(performance.now()));
    const samples = await rounds(count, () => boss.send(noticed, payload), (resolve) => (onStart = resolve));
    await boss.offWork(noticed);
    return samples;
  },
  async close() {
    await boss.stop({ graceful: false });
  },
});
