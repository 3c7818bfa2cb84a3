// Drives Chromium through the pages of the dashboard: node browser.mjs URL OPERATOR VIEWER NODE_MODULES [PICTURES].
// Prints what is wrong, a line each, and "all is well" where nothing is. With PICTURES it leaves screenshots there.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [url, operatorToken, viewerToken, modules, pictures] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const wrong = [];
const check = (holds, what) => { if (!holds) { wrong.push(what); console.log(`WRONG ${what}`); } };
const lives = []; // pages, for each connection that is kept up to date
const views = ['overview', 'jobs', 'errors', 'queues', 'schedules', 'workers', 'fibers'];

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server'],
});

/// A page that notes whatever a page of ours may never do.
async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 860 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20000);
  page.on('dialog', (one) => { check(false, `a dialog: ${one.message()}`); one.dismiss(); });
  page.on('pageerror', (error) => check(false, `an error of the page: ${error.stack}`));
  page.on('console', (one) => {
    const expected = /status of (401|403|404|409)/.test(one.text());
    if (one.type() === 'error' && !expected) check(false, `the console: ${one.text()}`);
  });
  page.on('request', (one) => { if (one.url().includes('/api/live')) lives.push(page); });
  page.on('request', (one) => check(one.url().startsWith(url) || one.url().startsWith('data:'), `a request to ${one.url()}`));
  return page;
}

async function logIn(page, token) {
  await page.goto(url);
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('navigation', { name: 'Views' }).waitFor();
}

const go = (page, path) => page.evaluate((hash) => { location.hash = hash; }, `#/${path}`);

async function picture(page, name) {
  if (pictures) await page.screenshot({ path: `${pictures}/${name}.png` });
}

/// No text of a job has become an element, and axe finds nothing.
async function look(page, name, withAxe = true) {
  check(await page.locator('main script, main img, main svg[onload], main b:text-is("hostile")').count() === 0, `${name}: a text became an element`);
  if (!withAxe) return;
  if (!await page.evaluate(() => 'axe' in globalThis)) await page.evaluate(axe); // not by an element: the policy refuses it
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  for (const one of violations)
    check(false, `${name}: axe ${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary}`).join('; ')}`);
}

/// A phone shows the whole width of a page, and its bar with all that is in it.
async function fits(page, name) {
  const found = await page.evaluate(() => {
    const wide = document.documentElement.scrollWidth;
    const scrolling = [...document.querySelectorAll('main .card, main .card *')].filter((one) =>
      one.scrollWidth > one.clientWidth && ['auto', 'scroll'].includes(getComputedStyle(one).overflowX));
    const isSeen = (one) => {
      const { left, right, top, bottom, width } = one.getBoundingClientRect();
      return width > 0 && left >= 0 && right <= screen.width && top >= 0 && bottom <= screen.height;
    };
    const bar = [...document.querySelectorAll('.nav, .nav a, .nav button')].filter((one) => one.checkVisibility());
    return {
      wide: wide > screen.width && wide,
      scrolling: scrolling.map((one) => `${one.tagName} ${one.className}`).join(', '),
      links: bar.filter((one) => one.matches('li a')).length,
      unseen: bar.filter((one) => !isSeen(one)).map((one) => one.textContent || one.ariaLabel).join(', '),
    };
  });
  check(!found.wide, `${name} is ${found.wide} pixels wide`);
  check(!found.scrolling, `${name}: ${found.scrolling} scrolls sideways`);
  check(found.links === views.length, `${name}: the bar has ${found.links} links`);
  check(!found.unseen, `${name}: of the bar one does not see ${found.unseen}`);
}

async function everyView(page, name) {
  for (const view of views) {
    const began = Date.now();
    await go(page, view);
    await page.locator('main h1').waitFor({ state: 'attached' });
    await page.locator('main .loading').waitFor({ state: 'detached' });
    check(Date.now() - began < 10000, `${name} ${view} takes too long`);
    await look(page, `${name} ${view}`);
    if (page.viewportSize().width < 760) await fits(page, `${name} ${view}`);
    await picture(page, `${name}-${view}`);
  }
}

const said = (page, text) => page.locator('.note', { hasText: text }).first().waitFor();

async function jobs(page) {
  await go(page, 'jobs?state=dead');
  const rows = page.locator('table.rows tbody tr');
  await rows.first().waitFor();
  check((await page.locator('table.rows .state').allTextContents()).every((one) => one === 'dead'), 'only dead jobs are listed');
  for (const text of ['<script>alert(1)</script>', '{{constructor', '%3Cscript'])
    check(await page.locator('table.rows', { hasText: text }).count() === 1, `the list has ${text} as text`);
  await page.getByLabel('Closure').fill('STRANGER');
  await page.waitForURL(/closure=STRANGER/);
  await page.locator('main .loading').waitFor({ state: 'detached' });
  await page.locator('table.rows', { hasText: 'stranger.says' }).waitFor();
  check(await page.locator('table.rows', { hasText: 'bill.charge' }).count() === 0, 'the filter by closure');
  await go(page, 'jobs?error=bank+does+not');
  await page.locator('table.rows', { hasText: 'bill.charge' }).waitFor();
  await page.locator('main .loading').waitFor({ state: 'detached' });
  check(await page.locator('table.rows', { hasText: 'stranger' }).count() === 0, 'the filter by error');
  await go(page, 'jobs?tag=gallery');
  await page.locator('table.rows', { hasText: 'image.render' }).waitFor();
  await page.getByLabel('Queue').selectOption('billing');
  await page.locator('.empty').waitFor();
  await page.getByRole('link', { name: 'Clear' }).click();
  await rows.first().waitFor();
}

async function oneJob(page) {
  await go(page, 'jobs?closure=bill.charge&state=dead');
  await page.locator('table.rows a.name').first().click();
  await page.getByRole('heading', { name: 'Timeline' }).waitFor();
  await page.getByText('caused by').first().waitFor();
  check(await page.getByText('Why does it not run?').count() === 1, 'it says why');
  await look(page, 'a dead job');
  await picture(page, 'job-dead');
  await page.locator('body').press('r');
  await said(page, 'It is ready again');
  await go(page, 'jobs?queue=images&state=ready');
  await page.locator('table.rows a.name').first().click();
  await page.getByText('Its queue "images" is paused.').waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await said(page, 'It is cancelled');
  await page.getByText('It was cancelled').waitFor();
  await page.locator('body').press('d');
  await page.getByRole('heading', { name: 'Delete this job for good' }).waitFor();
  await look(page, 'the question before a job is deleted');
  await picture(page, 'job-delete');
  await page.getByRole('button', { name: 'Keep it' }).click();
  await page.getByRole('button', { name: 'Delete…' }).click();
  await page.locator('button[data-confirm=delete]').click();
  await said(page, 'It is deleted');
  await page.waitForURL(/#\/jobs$/);
  await go(page, 'jobs?state=done&closure=mail.deliver');
  await page.locator('table.rows a.name').first().click();
  await page.locator('.log .bar').first().waitFor();
  await look(page, 'a job with a log');
  await picture(page, 'job-done');
  await go(page, 'jobs?state=running');
  await page.locator('table.rows a.name', { hasText: 'video.encode' }).click();
  await page.getByText('encoding <b>scene 7</b>').waitFor();
  await look(page, 'a job that runs');
  await go(page, 'jobs?closure=order.ship');
  await page.locator('table.rows a.name').first().click();
  await page.getByRole('heading', { name: 'Steps' }).waitFor();
  check(await page.getByText('charge <b>').count() === 1 && await page.getByText('receipt 17').count() === 1, 'a step is shown');
  check(await page.getByText('<img src=x onerror=alert(1)>').count() === 1, 'a context value is shown as text');
  check(await page.getByText('s3cr3t').count() === 0 && await page.getByText('hidden').count() === 1, 'a secret of the context is hidden');
  const traced = await page.locator('a[href^="https://traces.example.org/"]').getAttribute('href');
  check(/^https:\/\/traces\.example\.org\/[0-9a-f]{32}\?span=[0-9a-f]{16}$/.test(traced), `the link to the trace is ${traced}`);
  await look(page, 'a job with its context');
  await picture(page, 'job-context');
  await go(page, 'jobs?closure=album.bind');
  await page.locator('table.rows a.name').first().click();
  await page.getByText('The first 100 of 130 are shown.').waitFor();
  await page.getByRole('button', { name: 'More steps' }).click();
  await page.locator('.steps li').nth(129).waitFor();
  check(await page.getByRole('button', { name: 'More steps' }).count() === 0, 'there are no more steps');
  check(await page.locator('.steps li').last().textContent() === 'page 1129 129', 'the last step is the last one');
  await go(page, 'jobs?closure=stranger.says');
  for (let i = 0; i < 12; ++i) {
    await page.locator('table.rows a.name').nth(i).click();
    await page.getByRole('heading', { name: 'Timeline' }).waitFor();
    await look(page, `a hostile job ${i}`, i < 2);
    await page.goBack();
  }
}

/// What is done to a group of errors is done to no others, however alike their texts are.
async function groups(page) {
  await go(page, 'errors');
  const jams = page.locator('.group', { hasText: /tray \d jams(?! and)/ });
  const smokes = page.locator('.group', { hasText: 'jams and smokes' });
  await jams.getByRole('link', { name: 'printer.print' }).click();
  await page.getByText('one group of errors').waitFor();
  await page.locator('main .loading').waitFor({ state: 'detached' });
  check(await page.locator('table.rows tbody tr').count() === 2, 'the jobs of a group are listed');
  await look(page, 'the jobs of a group of errors');
  await go(page, 'errors');
  await jams.getByRole('button', { name: 'Retry…' }).click();
  await page.getByText('2 jobs fit').waitFor();
  await look(page, 'the question before a group is retried');
  await page.locator('button[data-confirm=retry]').click();
  await said(page, '2 jobs made ready again');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await smokes.getByRole('button', { name: 'Delete…' }).click();
  await page.getByText('1 job fits').waitFor();
  await page.locator('button[data-confirm=delete]').click();
  await said(page, '1 job deleted');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await smokes.waitFor({ state: 'detached' });
  await jams.getByText('2 dead').waitFor(); // they have failed again
}

async function many(page) {
  await go(page, 'errors');
  await page.locator('.group', { hasText: 'the bank does not answer' }).waitFor();
  await go(page, 'jobs?state=dead&closure=stranger');
  await page.locator('table.rows').waitFor();
  await page.locator('main .loading').waitFor({ state: 'detached' });
  const number = await page.locator('table.rows tbody tr').count();
  check(number > 5, 'there are dead jobs of strangers');
  await page.getByRole('button', { name: 'Retry all' }).click();
  await page.getByText(`${number} jobs fit`).waitFor();
  await look(page, 'the question before many are changed');
  await picture(page, 'bulk');
  await page.locator('button[data-confirm=retry]').click();
  await said(page, `${number} jobs made ready again`);
  await page.locator('dialog').waitFor({ state: 'detached' });
  await go(page, 'jobs?state=dead&closure=bill');
  await page.locator('table.rows').waitFor();
  await page.locator('main .loading').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Delete all' }).click();
  await page.getByText(/jobs fit: dead/).waitFor();
  await page.locator('button[data-confirm=delete]').click();
  await said(page, 'jobs deleted');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.locator('.empty').waitFor();
  await go(page, 'jobs?tag=gallery');
  await page.getByRole('button', { name: 'Cancel all' }).click();
  await page.getByText(/jobs fit/).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
}

async function queuesAndSchedules(page) {
  await go(page, 'queues');
  await page.getByRole('button', { name: 'Pause billing' }).click();
  await said(page, 'Queue billing is paused');
  await page.getByRole('button', { name: 'Resume billing' }).click();
  await page.getByRole('button', { name: 'Pause billing' }).waitFor();
  await page.getByRole('button', { name: 'Change printer <1>' }).click();
  await page.getByLabel('Run at a time').fill('3');
  await page.getByLabel('Begin').fill('10');
  await page.getByLabel('in each').selectOption('minute');
  await look(page, 'the form of a limit');
  await picture(page, 'limit');
  await page.getByRole('button', { name: 'Set', exact: true }).click();
  await said(page, 'Limit printer <1> is set');
  await page.getByText('10 a minute').waitFor();
  await picture(page, 'limits');
  await page.getByRole('button', { name: 'Release printer <1>' }).click();
  await said(page, 'Pushes say again');
  await page.getByRole('button', { name: 'Set a limit' }).click();
  await page.getByLabel('Key', { exact: true }).fill('new one');
  await page.getByLabel('Begin').fill('2000000000');
  await page.getByLabel('in each').selectOption('second');
  await page.getByRole('button', { name: 'Set', exact: true }).click();
  await said(page, 'Limit new one is set');
  await go(page, 'schedules');
  await page.getByRole('button', { name: 'Pause nightly report' }).click();
  await page.getByRole('button', { name: 'Resume nightly report' }).click();
  await page.getByRole('button', { name: 'Run nightly report now' }).click();
  await said(page, 'is pushed');
}

async function fibers(page) {
  await go(page, 'fibers');
  await page.getByText('dashboard looks').waitFor();
  await page.getByRole('button', { name: 'Show stacks' }).click();
  await page.locator('.dump', { hasText: 'dashboard looks' }).waitFor();
  await look(page, 'fibers with their stacks');
}

async function workers(page) {
  await go(page, 'workers');
  const fibers = await page.getByRole('link', { name: 'fibers', exact: true }).first().getAttribute('href');
  check(/^http:\/\/admin\.example\.org:9464\/[^/]+\/fibers\?of=\d+$/.test(fibers), `the link to a worker's fibers is ${fibers}`);
}

async function keys(page) {
  await page.locator('body').press('?');
  await page.getByRole('heading', { name: 'Keys' }).waitFor();
  await look(page, 'the keys');
  await page.keyboard.press('Escape');
  await page.locator('dialog').waitFor({ state: 'detached' });
  await page.keyboard.press('g');
  await page.keyboard.press('w');
  await page.getByRole('heading', { name: 'Workers', exact: true }).waitFor();
  const before = await page.locator('html').getAttribute('data-theme');
  await page.keyboard.press('t');
  check(await page.locator('html').getAttribute('data-theme') !== before, 't changes the theme');
  await page.keyboard.press('t');
  await page.keyboard.press('/');
  await page.waitForFunction(() => document.activeElement?.name === 'closure');
  await page.keyboard.press('Escape');
  await page.locator('table.rows tbody tr').first().waitFor();
  await page.keyboard.press('j');
  await page.locator('tr.chosen').waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Timeline' }).waitFor();
}

async function viewer() {
  const page = await open({ colorScheme: 'light' });
  await logIn(page, viewerToken);
  await page.getByText('You may look, but not change anything.').waitFor();
  for (const view of views) {
    await go(page, view);
    await page.locator('main .loading').waitFor({ state: 'detached' });
    check(await page.locator('main .button:not(a)', { hasText: /Retry|Cancel|Delete|Change|Set|Show|Pause|Resume|Run/ }).count() === 0, `a viewer sees a button in ${view}`);
  }
  const status = await page.evaluate(() => fetch('api/queues/pause', { method: 'POST', body: '{"name":"billing"}' }).then((answer) => answer.status));
  check(status === 403, `a viewer's change is answered with ${status}`);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByLabel('Token').waitFor();
  await page.context().close();
}

async function byLink() {
  const page = await open();
  await page.goto(`${url}#token=${operatorToken}`);
  await page.getByRole('navigation', { name: 'Views' }).waitFor();
  check(!page.url().includes('token'), 'the token is gone from the address');
  await page.context().close();
}

async function wrongToken() {
  const page = await open();
  await page.goto(url);
  await look(page, 'login');
  await picture(page, 'login');
  await page.getByLabel('Token').fill('not the token at all');
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByText('the token is not known').waitFor();
  await page.context().close();
}

try {
  const page = await open({ colorScheme: 'light' });
  await logIn(page, operatorToken);
  await page.locator('.live.on').waitFor();
  await page.waitForTimeout(pictures ? 6000 : 0); // something to plot
  await everyView(page, 'light');
  check(lives.filter((one) => one === page).length === 1, 'the page connects once for all that comes');
  await jobs(page);
  await oneJob(page);
  await groups(page);
  await many(page);
  await queuesAndSchedules(page);
  await fibers(page);
  await workers(page);
  await keys(page);
  await page.context().close();
  const dark = await open({ colorScheme: 'dark' });
  await logIn(dark, operatorToken);
  await everyView(dark, 'dark');
  await dark.context().close();
  const phone = await open({ colorScheme: 'light', viewport: { width: 390, height: 780 }, screen: { width: 390, height: 780 }, hasTouch: true, isMobile: true });
  await logIn(phone, operatorToken);
  await everyView(phone, 'phone');
  await go(phone, 'errors');
  await phone.locator('.group').first().waitFor();
  const narrowest = await phone.locator('.group .grow').evaluateAll((all) => Math.min(...all.map((one) => one.clientWidth)));
  check(narrowest >= 200, `an error can be read on a phone: ${narrowest} pixels`);
  await go(phone, 'jobs?state=dead');
  await phone.locator('table.rows a.name').first().click();
  await phone.getByRole('heading', { name: 'Timeline' }).waitFor();
  await fits(phone, 'phone job');
  await picture(phone, 'phone-job');
  await phone.context().close();
  await viewer();
  await byLink();
  await wrongToken();
} catch (failed) {
  check(false, failed.stack);
}
await browser.close();
if (wrong.length === 0) console.log('all is well');
process.exit(wrong.length === 0 ? 0 : 1);
