// Shows every view in Chromium and prints how long each took, from the click to its last row:
// node views.mjs URL TOKEN NODE_MODULES MILLISECONDS. One that takes longer than that is wrong.
import { createRequire } from 'node:module';

const [url, token, modules, most] = process.argv.slice(2);
const { chromium } = createRequire(`${modules}/`)('playwright-core');
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server'],
});
const page = await browser.newPage({ viewport: { width: 1360, height: 860 } });
page.setDefaultTimeout(60000);
let wrong = 0;
page.on('pageerror', (error) => { ++wrong; console.log(`WRONG ${error.stack}`); });

async function timed(name, act) {
  const began = performance.now();
  await act();
  const took = Math.round(performance.now() - began);
  console.log(`${String(took).padStart(6)} ms  ${name}`);
  if (took > Number(most)) { ++wrong; console.log(`WRONG ${name} took ${took} ms`); }
}

const go = (path) => page.evaluate((hash) => { location.hash = hash; }, `#/${path}`);
const shown = async (path, until) => {
  await go(path);
  await page.locator(until).first().waitFor();
  await page.locator('main .loading').waitFor({ state: 'detached' });
};

await timed('log in, and the overview', async () => {
  await page.goto(`${url}#token=${token}`);
  await page.locator('.tiles strong').first().waitFor();
  await page.locator('table tbody tr').first().waitFor();
});
const rows = 'table.rows tbody tr';
for (const [name, path, until] of [
  ['jobs', 'jobs', rows],
  ['jobs of a state', 'jobs?state=dead', rows],
  ['jobs of a queue and state', 'jobs?state=done&queue=mail', rows],
  ['jobs whose closure has a part', 'jobs?closure=many.ready', rows],
  ['jobs whose error has a part', 'jobs?state=dead&error=such+host', rows],
  ['errors', 'errors', '.group'],
  ['queues', 'queues', 'table tbody tr'],
  ['schedules', 'schedules', '.empty'],
  ['workers', 'workers', '.empty'],
  ['fibers', 'fibers', 'table tbody tr'],
]) await timed(name, () => shown(path, until));
await shown('errors', '.group');
await timed('jobs of a group of errors', async () => {
  await page.locator('.group h2 a').first().click();
  await page.locator(rows).first().waitFor();
  await page.locator('main .loading').waitFor({ state: 'detached' });
});
await shown('jobs?state=dead', rows);
await timed('one job', async () => {
  await page.locator(`${rows} a.name`).first().click();
  await page.getByRole('heading', { name: 'Timeline' }).waitFor();
});
await shown('jobs?state=dead', rows);
await timed('the next page of jobs', async () => {
  await page.getByRole('button', { name: 'Older jobs' }).click();
  await page.locator(rows).nth(60).waitFor();
});
await timed('the count before many are changed', async () => {
  await page.getByRole('button', { name: 'Retry all' }).click();
  await page.getByText(/jobs fit/).waitFor();
});
await browser.close();
if (wrong === 0) console.log('all is well');
process.exit(wrong === 0 ? 0 : 1);
