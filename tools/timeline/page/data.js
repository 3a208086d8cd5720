// The data: columns of numbers out of the page's JSON, and what is looked up in them.
// Lanes are indices into D.threads. Times are nanoseconds after D.base.

const D = JSON.parse(document.getElementById("data").textContent);
const NOBODY = -1;

function addUp(deltas) {
	const out = new Float64Array(deltas.length);
	let last = 0;
	for (let i = 0; i < deltas.length; i++)
		out[i] = last += deltas[i];
	return out;
}

for (const rows of [D.spans, D.calls, D.arrows])
	rows.begin = addUp(rows.begin);
for (const rows of [D.marks, D.records])
	rows.time = addUp(rows.time);
D.spans.end = Float64Array.from(D.spans.end);

const text = (i) => D.strings[i];

const threads = D.threads.map(([name, tid, process, processName], lane) => (
	{ name, tid, process, processName, lane, label: `${name} ${tid}`, spans: [], calls: [], marks: [] }));

// Colours of processes go round; the kernel's own threads are grey.
const GREY = 7;
{
	const seen = new Map();
	for (const t of threads) {
		if (!seen.has(t.process))
			seen.set(t.process, seen.size % GREY);
		t.tint = t.processName === "kernel" ? GREY : seen.get(t.process);
	}
}

const STATE = new Int8Array(D.spans.begin.length);	// index into D.states, or its length: another
{
	const known = new Map(D.states.map((name, i) => [D.strings.indexOf(name), i]));
	for (let i = 0; i < STATE.length; i++)
		STATE[i] = known.get(D.spans.state[i]) ?? D.states.length;
}
const RUNNING = D.states.indexOf("running");

const cpuSpans = Array.from({ length: D.cpus }, () => []);
D.spans.thread.forEach((lane, i) => {
	threads[lane].spans.push(i);
	if (STATE[i] === RUNNING && D.spans.cpu[i] >= 0)
		cpuSpans[D.spans.cpu[i]].push(i);
});
D.calls.thread.forEach((lane, i) => threads[lane].calls.push(i));
D.marks.thread.forEach((lane, i) => {
	if (lane !== NOBODY)
		threads[lane].marks.push(i);
});

const failures = [...D.marks.time.keys()].filter((i) => text(D.marks.kind[i]) === "failure");

// The first place in the sorted @list of rows at which column[row] > @time.
function after(list, column, time) {
	let low = 0, high = list.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (column[list[middle]] > time)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

// The place in @list of the span or call that holds @time, or -1.
function at(list, rows, time) {
	const place = after(list, rows.begin, time) - 1;
	return place >= 0 && rows.end[list[place]] >= time ? place : -1;
}

// The system call that thread @lane is in at @time, or -1.
function callAt(lane, time) {
	const list = threads[lane].calls, place = at(list, D.calls, time);
	return place < 0 ? -1 : list[place];
}

// A record without words of its own says what the spans say.
if (D.records.time.length === 0) {
	const order = [...D.spans.begin.keys()];
	D.records.time = Float64Array.from(order, (i) => D.spans.begin[i]);
	D.records.thread = order.map((i) => D.spans.thread[i]);
	D.records.cpu = order.map((i) => D.spans.cpu[i]);
	D.records.where = order.map((i) => D.spans.where[i]);
	D.records.text = order.map((i) => {
		const why = text(D.spans.why[i]);
		D.strings.push(text(D.spans.state[i]) + (why ? ` (${why})` : ""));
		return D.strings.length - 1;
	});
}
