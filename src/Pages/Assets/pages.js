// What the pages do more comfortably with a script; each of them works without it.
(() => {
  'use strict';

  const main = document.getElementById('content');
  // The server's clock, so that a wrong one here does not make every distance wrong.
  const ahead = Number(main.dataset.now) - Date.now();

  // --- Distances of time, in the words of Readable.Distance ---------------------------------------------------------

  const two = (large, largeUnit, small, smallUnit) => small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;

  function distance(milliseconds) {
    const seconds = Math.round(Math.abs(milliseconds) / 1000);
    if (seconds < 2) return 'now';
    const minutes = Math.floor(seconds / 60);
    const hours = Math.floor(minutes / 60);
    let text;
    if (seconds < 60) text = `${seconds} s`;
    else if (minutes < 5) text = two(minutes, 'min', seconds % 60, 's');
    else if (minutes < 60) text = `${minutes} min`;
    else if (hours < 24) text = two(hours, 'h', minutes % 60, 'min');
    else text = two(Math.floor(hours / 24), 'd', hours % 24, 'h');
    return milliseconds < 0 ? `${text} ago` : `in ${text}`;
  }

  function refreshDistances() {
    const now = Date.now() + ahead;
    for (const time of document.querySelectorAll('time[data-ago]')) {
      const text = distance(Date.parse(time.dateTime) - now);
      if (time.textContent !== text) time.textContent = text;
    }
  }

  // --- Strips: one place in the order of the tab key, arrows within ---------------------------------------------------

  document.addEventListener('keydown', event => {
    const strip = event.target instanceof Element ? event.target.closest('[data-strip]') : null;
    const item = strip && event.target.closest('li');
    if (!item) return;
    const items = [...strip.children];
    const to = { ArrowLeft: items.indexOf(item) - 1, ArrowRight: items.indexOf(item) + 1, Home: 0, End: items.length - 1 }[event.key];
    if (to === undefined || !items[to]) return;
    event.preventDefault();
    item.tabIndex = -1;
    items[to].tabIndex = 0;
    items[to].focus();
  });

  // --- A button is pressed once --------------------------------------------------------------------------------------

  document.addEventListener('submit', event => {
    const button = event.submitter;
    if (!button) return;
    if (button.getAttribute('aria-disabled') === 'true') event.preventDefault();
    else button.setAttribute('aria-disabled', 'true');
  });
  // A page that comes back from the browser's memory has its buttons again.
  addEventListener('pageshow', () => document.querySelectorAll('.button[aria-disabled]').forEach(button => button.removeAttribute('aria-disabled')));

  // --- Live: the server says that something has changed, and the page asks for itself ----------------------------------

  const live = document.getElementById('live');
  const told = new Map();
  let asked = Promise.resolve();
  let late = false;

  const version = () => document.getElementById('version')?.dataset.version;

  function show(text, lost) {
    live.hidden = false;
    live.classList.toggle('live-lost', lost);
    document.getElementById('live-text').textContent = text;
  }

  async function refresh() {
    const response = await fetch(location.pathname, { headers: { Accept: 'text/html' }, cache: 'no-store' });
    if (response.status === 401) return location.reload();
    if (!response.ok) throw new Error(`status ${response.status}`);
    const page = new DOMParser().parseFromString(await response.text(), 'text/html');
    // For who does not see the colour change.
    const announce = document.getElementById('announce');
    if (announce && document.title !== page.title) announce.textContent = page.querySelector('h1').textContent;
    document.title = page.title;
    for (const fresh of page.querySelectorAll('[data-live]')) replace(fresh);
    for (const gone of [...document.querySelectorAll('[data-live]')].filter(old => !page.getElementById(old.id))) gone.remove();
    put(document.querySelector('.bottom'), document.importNode(page.querySelector('.bottom'), true));
    refreshDistances();
  }

  // Only what differs is put in, so that a reader's place, an open table and the focus stay.
  function replace(fresh) {
    const html = fresh.outerHTML;
    const old = document.getElementById(fresh.id);
    if (!old || told.get(fresh.id) === html) return;
    // What is pressed is not taken from under the finger: a button that is not there any more when it is let go gets no click.
    if (old.matches(':active')) return void (late = true);
    told.set(fresh.id, html);
    const open = [...old.querySelectorAll('details[open]')].map(details => details.id);
    const next = document.importNode(fresh, true);
    // What came of a button stays until the page is left.
    const notice = old.querySelector(':scope > .notice');
    if (notice) next.querySelector('.job-head').after(notice);
    for (const id of open) next.querySelector(`#${CSS.escape(id)}`)?.setAttribute('open', '');
    put(old, next);
  }

  // Whatever can have the focus has an id, by which it is found again.
  function put(old, next) {
    const focused = old.contains(document.activeElement) ? document.activeElement.id : '';
    old.replaceWith(next);
    if (!focused) return;
    const again = document.getElementById(focused);
    if (!again) return;
    const strip = again.closest('[data-strip]');
    if (strip) for (const item of strip.children) item.tabIndex = item === again ? 0 : -1;
    again.focus({ preventScroll: true });
  }

  function ask() {
    asked = asked.then(refresh).then(() => show('Live', false), () => show('Connection lost, trying again', true));
    return asked;
  }

  // The click comes after this event, so what waited for it is put in after the click.
  for (const released of ['pointerup', 'pointercancel', 'keyup']) {
    addEventListener(released, () => {
      if (!late) return;
      late = false;
      setTimeout(ask, 100);
    });
  }

  function listen() {
    const source = new EventSource(main.dataset.events);
    source.addEventListener('status', event => {
      if (event.data !== version()) ask();
      else show('Live', false);
    });
    source.addEventListener('error', () => {
      show('Connection lost, trying again', true);
      if (source.readyState !== EventSource.CLOSED) return;
      // Refused: too many pages are open, or the session has ended. Asking tells which.
      source.close();
      setTimeout(() => ask().then(listen), 10000);
    });
    addEventListener('pagehide', () => source.close(), { once: true });
  }

  setInterval(refreshDistances, 1000);
  if (main.dataset.events && live) {
    listen();
    // Overdue is something that no event tells.
    setInterval(() => { if (!document.hidden) ask(); }, 30000);
    addEventListener('pageshow', event => { if (event.persisted) location.reload(); });
  }
})();
