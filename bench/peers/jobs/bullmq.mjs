import { Queue, Worker } from 'bullmq';

import { concurrency, countdown, main, payload, rounds } from './measure.mjs';

const name = 'bench';
const gone = { removeOnComplete: true, removeOnFail: true };
let connection;
let queue;

const start = (handle, how) => new Worker(name, handle, { connection, concurrency: how });

main({
  async open(path) {
    connection = { path, maxRetriesPerRequest: null };
    queue = new Queue(name, { connection, defaultJobOptions: gone });
    await queue.obliterate({ force: true });
  },
  async push(count) {
    for (let n = 0; n < count; ++n) await queue.add('no_op', payload);
  },
  async pushMany(count) {
    await queue.addBulk(Array.from({ length: count }, () => ({ name: 'no_op', data: payload })));
  },
  async work(count, how) {
    const ran = countdown(count);
    const worker = start(async () => ran.one(), how === 'tuned' ? 100 : concurrency);
    await ran.done;
    await worker.close();
  },
  async startOf(count) {
    let onStart;
    const worker = start(async () => onStart(performance.now()), concurrency);
    await worker.waitUntilReady();
    const samples = await rounds(count, () => queue.add('wake', payload), (resolve) => (onStart = resolve));
    await worker.close();
    return samples;
  },
  async close() {
    await queue.close();
  },
});
