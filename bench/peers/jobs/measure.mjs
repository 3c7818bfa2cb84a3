// What the peers have in common: `node PEER.mjs FIGURE CONNECTION COUNT` prints one number.
//
// A peer is an object of these:
//   open(connection)            connects, makes what it needs, and empties its queue
//   push(count)                 pushes so many, one after the other
//   pushMany(count)             pushes so many by one call
//   work(count, how)            works off what was pushed, until so many have run; how: 'defaults' or 'tuned'
//   startOf(rounds)             milliseconds from the return of a push until its function runs, of each round
//   close()

export const concurrency = 10;
export const payload = { id: 42, to: 'somebody@example.org', text: 'a few words for the mail'.repeat(8) };

const seconds = async (body) => {
  const began = process.hrtime.bigint();
  await body();
  return Number(process.hrtime.bigint() - began) / 1e9;
};
const perSecond = async (count, body) => count / (await seconds(body));
const pushesBy = (peer, producers, count) =>
  Promise.all(Array.from({ length: producers }, () => peer.push(count / producers)));
const percentile = (samples, share) => {
  const sorted = [...samples].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
};

/// How many are pushed by one call before jobs are worked off: what all of them take.
const fillBatch = 1000;
const fill = async (peer, count) => {
  for (let done = 0; done < count; done += fillBatch) await peer.pushMany(fillBatch);
};

const figures = {
  'push-1': async (peer, count) => {
    await peer.push(50);
    return perSecond(count, () => pushesBy(peer, 1, count));
  },
  'push-16': async (peer, count) => {
    await pushesBy(peer, 16, 160);
    return perSecond(count, () => pushesBy(peer, 16, count));
  },
  'push-many': async (peer, count) => {
    await peer.pushMany(fillBatch);
    return perSecond(count, () => fill(peer, count));
  },
  'no-ops': async (peer, count) => {
    await fill(peer, count);
    return perSecond(count, () => peer.work(count, 'defaults'));
  },
  'no-ops-tuned': async (peer, count) => {
    await fill(peer, count);
    return perSecond(count, () => peer.work(count, 'tuned'));
  },
  'start-p50': async (peer, count) => percentile(await peer.startOf(count), 0.5),
  'start-p99': async (peer, count) => percentile(await peer.startOf(count), 0.99),
};

/// A function that jobs call, and a promise that is kept once it was called so often.
export function countdown(count) {
  let left = count;
  let over;
  const done = new Promise((resolve) => (over = resolve));
  return { done, one: () => --left === 0 && over() };
}

/// A push and its start, one round after the other.
export async function rounds(count, push, onStart) {
  const samples = [];
  for (let round = 0; round < count; ++round) {
    const started = new Promise((resolve) => onStart(resolve));
    await push();
    const pushed = performance.now();
    samples.push(Math.max((await started) - pushed, 0));
  }
  return samples;
}

export async function main(peer) {
  const [name, connection, count] = process.argv.slice(2);
  if (!figures[name] || !connection || !(Number(count) > 0)) {
    console.error(`usage: node PEER.mjs ${Object.keys(figures).join('|')} CONNECTION COUNT`);
    process.exit(2);
  }
  await peer.open(connection);
  const number = await figures[name](peer, Number(count));
  await peer.close();
  console.log(number);
  process.exit(0);
}
