// Where things are: which stretch of time is shown, which lanes, and times in words.

const GUTTER = 176, AXIS = 26, CPU_LANE = 30, THREAD_LANE = 24, GAP = 14, MIN_SPAN = 40;

const view = { begin: 0, end: Math.max(D.end, 1), width: 800, height: 400, scroll: 0 };
const show = { lanes: "both", filter: "", present: false, arrows: new Set(D.arrowKinds) };
const selected = { what: null, i: -1, lane: null, time: null };	// lane: a key
let lanes = [];		// {key, cpu | thread, y, height}, top to bottom
let lanesHeight = 0;

const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
const plotWidth = () => Math.max(view.width - GUTTER - 10, 10);
const scale = () => plotWidth() / (view.end - view.begin);
const xOf = (time) => GUTTER + (time - view.begin) * scale();
const timeAt = (x) => view.begin + (x - GUTTER) / scale();

function setView(begin, end) {
	const whole = Math.max(D.end, MIN_SPAN), margin = whole * 0.02;
	const length = clamp(end - begin, MIN_SPAN, whole + 2 * margin);
	const middle = (begin + end) / 2;
	view.begin = clamp(middle - length / 2, -margin, whole + margin - length);
	view.end = view.begin + length;
	if (show.present)
		layLanesInPlace();
	changed();
}

function zoom(factor, time = (view.begin + view.end) / 2) {
	const length = clamp((view.end - view.begin) * factor, MIN_SPAN, D.end * 1.04 + MIN_SPAN);
	const share = (time - view.begin) / (view.end - view.begin);
	setView(time - share * length, time + (1 - share) * length);
}

const pan = (time) => setView(view.begin + time, view.end + time);

// Shows @begin to @end with room on both sides, without zooming in further than it must.
function reveal(begin, end) {
	const length = view.end - view.begin;
	if (end - begin > length * 0.9)
		setView(begin - (end - begin) * 0.1, end + (end - begin) * 0.1);
	else if (begin < view.begin + length * 0.03 || end > view.end - length * 0.03)
		setView((begin + end) / 2 - length / 2, (begin + end) / 2 + length / 2);
}

function matches(t) {
	const words = show.filter.toLowerCase().split(/[\s,]+/).filter(Boolean);
	const name = t.name.toLowerCase(), process = t.processName.toLowerCase();
	return !words.length || words.some((w) => /^\d+$/.test(w)
		? String(t.tid) === w || String(t.process) === w : name.includes(w) || process.includes(w));
}

// Whether the thread lives in the stretch that is shown.
function isPresent(t) {
	const S = D.spans;
	let n = Math.max(0, after(t.spans, S.begin, view.begin) - 1);
	for (; n < t.spans.length && S.begin[t.spans[n]] <= view.end; n++)
		if (S.end[t.spans[n]] >= view.begin && text(S.state[t.spans[n]]) !== "dead")
			return true;
	return false;
}

function layLanes() {
	const wanted = (t) => matches(t) && (!show.present || isPresent(t));
	let y = AXIS + 6;
	lanes = [];
	if (show.lanes !== "threads") {
		for (let cpu = 0; cpu < D.cpus; cpu++, y += CPU_LANE)
			lanes.push({ key: `c${cpu}`, cpu, y, height: CPU_LANE });
		y += GAP;
	}
	let process = null;
	if (show.lanes !== "cpus") {
		for (const thread of threads.filter(wanted)) {
			if (process !== null && process !== thread.process)
				y += 5;
			const first = process !== thread.process;
			process = thread.process;
			lanes.push({ key: `t${thread.lane}`, thread, y, height: THREAD_LANE, first });
			y += THREAD_LANE;
		}
	}
	lanesHeight = y + 10;
}

const laneOf = (key) => lanes.find((l) => l.key === key);

const laneOfThread = (lane) => lanes.find((l) => l.thread && l.thread.lane === lane);
const laneOfCpu = (cpu) => lanes.find((l) => l.cpu === cpu);
const laneAt = (y) => lanes.find((l) => y >= l.y && y < l.y + l.height);
const spansOf = (lane) => lane.thread ? lane.thread.spans : cpuSpans[lane.cpu];

// --- Times in words ---------------------------------------------------------------------------

function scaled(ns, unit, digits) {
	const [divisor, name] = { s: [1e9, "s"], ms: [1e6, "ms"], us: [1e3, "µs"], ns: [1, "ns"] }[unit];
	const [whole, part] = (ns / divisor).toFixed(digits).split(".");
	const grouped = whole.replace(/\B(?=(\d{3})+$)/g, "\u202f");
	return `${grouped}${part ? "." + part : ""} ${name}`;
}

function duration(ns) {
	if (ns < 1000)
		return scaled(ns, "ns", 0);
	if (ns < 1e6)
		return scaled(ns, "us", ns < 1e5 ? 2 : 1);
	return ns < 1e9 ? scaled(ns, "ms", ns < 1e8 ? 3 : 1) : scaled(ns, "s", 3);
}

// A moment, to the nanosecond, in milliseconds since boot.
const moment = (time) => scaled(time + D.base, "ms", 4);

// Steps of the axis: 1, 2 or 5 times a power of ten, at least @pixels apart.
function axisStep(pixels) {
	const least = pixels / scale(), power = 10 ** Math.floor(Math.log10(least));
	return Math.max(1, [1, 2, 5, 10].map((n) => n * power).find((n) => n >= least));
}

function axisLabel(time, step) {
	const ns = time + D.base;
	if (step >= 1e9)
		return scaled(ns, "s", 0);
	return scaled(ns, "ms", Math.max(0, 6 - Math.floor(Math.log10(step) + 1e-9)));
}
