// Drawing the lanes, on one canvas. Only what is in view is drawn, and spans
// narrower than a pixel are added up per pixel, so that the cost is that of the window.

const chart = document.getElementById("chart"), scroll = document.getElementById("scroll");
const canvas = document.getElementById("canvas"), spacer = document.getElementById("spacer");
const ARROW_BUDGET = 350, FONT = '12px system-ui, "DejaVu Sans", sans-serif';
const SMALL = '11px system-ui, "DejaVu Sans", sans-serif';
let g = canvas.getContext("2d"), colour = {}, hits = [], hover = null, hidden = 0;

// Shape says what colour says: [share of the lane's height, dash pattern].
const SHAPES = {
	running: [0.84, null], ready: [0.5, null], blocked: [0.2, null], sleeping: [0.2, [5, 3]],
	suspended: [0.2, [2, 2]], zombie: [0.32, [1.5, 3.5]], dead: [0.09, null], other: [0.5, null],
};
const ARROWS = {
	wake: [1.2, null], create: [1.4, null], kill: [2.4, null], join: [1.6, [5, 3]], ipi: [1.2, [2, 2]],
};
const FIRST_DRAWN = ["kill", "join", "create", "wake", "ipi"];
const stateName = (i) => D.states[STATE[i]] ?? "other";

function readColours() {
	const style = getComputedStyle(document.documentElement);
	const names = ["paper", "panel", "ink", "dim", "line", "lane", "accent", "select", "failure", "call",
		...Object.keys(SHAPES), ...Object.keys(ARROWS), ..."01234567".split("").map((n) => "p" + n)];
	colour = Object.fromEntries(names.map((n) => [n, style.getPropertyValue("--" + n).trim()]));
}

function fit(c, width, height) {
	const ratio = window.devicePixelRatio || 1;
	if (c.width !== Math.round(width * ratio) || c.height !== Math.round(height * ratio)) {
		c.width = Math.round(width * ratio);
		c.height = Math.round(height * ratio);
		c.style.width = width + "px";
		c.style.height = height + "px";
	}
	const context = c.getContext("2d");
	context.setTransform(ratio, 0, 0, ratio, 0, 0);
	return context;
}

const makeRoom = () => {
	spacer.style.height = Math.max(0, lanesHeight - scroll.clientHeight) + "px";
};

// Lanes come and go with the view; the selected one, or else the first in sight, stays where it is.
function layLanesInPlace() {
	const top = scroll.scrollTop, bottom = top + scroll.clientHeight;
	const seen = lanes.filter((l) => l.y > top && l.y < bottom);
	const kept = seen.find((l) => l.key === selected.lane) ?? seen.find((l) => l.thread);
	layLanes();
	makeRoom();
	const now = kept && laneOf(kept.key);
	if (now)
		scroll.scrollTop = top + now.y - kept.y;
}

function draw() {
	view.width = scroll.clientWidth;
	view.height = scroll.clientHeight;
	view.scroll = scroll.scrollTop;
	makeRoom();
	g = fit(canvas, view.width, view.height);
	g.fillStyle = colour.paper;
	g.fillRect(0, 0, view.width, view.height);
	const top = view.scroll + AXIS, bottom = view.scroll + view.height;
	const seen = lanes.filter((l) => l.y + l.height > top && l.y < bottom);
	hits = [];
	drawGrid();
	g.save();
	g.beginPath();
	g.rect(GUTTER, AXIS, view.width - GUTTER, view.height - AXIS);
	g.clip();
	g.translate(0, -view.scroll);
	for (const lane of seen)
		lane.thread ? drawThread(lane) : drawCpu(lane);
	drawSelection();
	drawMarks(seen);
	drawArrows();
	g.restore();
	drawLabels(seen);
	drawAxis();
	drawHint();
	drawOverview();
}

// --- Frame ------------------------------------------------------------------------------------

function* ticks() {
	const step = axisStep(110);
	const first = Math.ceil((Math.max(view.begin, 0) + D.base) / step) * step - D.base;
	for (let time = first; time <= Math.min(view.end, D.end * 1.02 + step); time += step)
		yield [time, step];
}

function drawGrid() {
	g.strokeStyle = colour.line;
	g.globalAlpha = 0.55;
	g.lineWidth = 1;
	g.beginPath();
	for (const [time] of ticks()) {
		const x = Math.round(xOf(time)) + 0.5;
		g.moveTo(x, AXIS);
		g.lineTo(x, view.height);
	}
	g.stroke();
	g.globalAlpha = 1;
}

function drawHint() {
	if (lanes.some((l) => l.thread) || show.lanes === "cpus")
		return;
	g.font = FONT;
	g.fillStyle = colour.dim;
	g.textAlign = "left";
	g.fillText(show.filter ? "No thread here has that name or number." : "No thread lives here.",
		GUTTER + 16, lanesHeight + 14);
}

function drawAxis() {
	g.fillStyle = colour.panel;
	g.fillRect(0, 0, view.width, AXIS);
	g.strokeStyle = colour.line;
	g.beginPath();
	g.moveTo(0, AXIS - 0.5);
	g.lineTo(view.width, AXIS - 0.5);
	g.stroke();
	g.font = SMALL;
	g.textBaseline = "middle";
	g.fillStyle = colour.dim;
	g.textAlign = "left";
	g.fillText(`${duration(view.end - view.begin)} in view`, 12, AXIS / 2);
	g.textAlign = "center";
	g.save();
	g.beginPath();
	g.rect(GUTTER, 0, view.width - GUTTER, AXIS);
	g.clip();
	for (const [time, step] of ticks())
		if (xOf(time) > GUTTER + 30)
			g.fillText(axisLabel(time, step), xOf(time), AXIS / 2);
	for (const i of failures)
		flag(xOf(D.marks.time[i]), colour.failure, i);
	g.restore();
	if (hidden) {
		const note = `${hidden.toLocaleString("en")} arrows not drawn: zoom in`;
		g.textAlign = "right";
		const width = g.measureText(note).width + 16;
		g.fillStyle = colour.panel;
		g.globalAlpha = 0.92;
		g.fillRect(view.width - width - 6, view.height - 24, width, 20);
		g.globalAlpha = 1;
		g.fillStyle = colour.dim;
		g.fillText(note, view.width - 14, view.height - 14);
	}
}

function flag(x, fill, i) {
	g.fillStyle = fill;
	g.beginPath();
	g.moveTo(x - 6, 4);
	g.lineTo(x + 6, 4);
	g.lineTo(x, AXIS - 2);
	g.fill();
	hits.push({ what: "mark", i, box: [x - 7, 0, x + 7, AXIS], fixed: true });
}

function drawLabels(seen) {
	g.fillStyle = colour.panel;
	g.fillRect(0, AXIS, GUTTER, view.height);
	g.save();
	g.beginPath();
	g.rect(0, AXIS, GUTTER, view.height - AXIS);
	g.clip();
	g.textBaseline = "middle";
	for (const lane of seen) {
		const y = lane.y - view.scroll, middle = y + lane.height / 2 + 0.5;
		if (selected.lane === lane.key) {
			g.fillStyle = colour.lane;
			g.fillRect(0, y, GUTTER, lane.height);
			g.fillStyle = colour.accent;
			g.fillRect(0, y, 3, lane.height);
		}
		lane.thread ? threadLabel(lane, middle) : cpuLabel(lane, middle);
	}
	g.restore();
	g.strokeStyle = colour.line;
	g.beginPath();
	g.moveTo(GUTTER - 0.5, 0);
	g.lineTo(GUTTER - 0.5, view.height);
	g.stroke();
}

function cpuLabel(lane, y) {
	g.font = "600 " + FONT;
	g.fillStyle = colour.ink;
	g.textAlign = "left";
	g.fillText(`CPU ${lane.cpu}`, 12, y);
}

function threadLabel(lane, y) {
	const t = lane.thread, indent = lane.first ? 0 : 14;
	g.fillStyle = colour["p" + t.tint];
	g.fillRect(12 + indent, y - 6, 9, 11);
	if (indent) {
		g.strokeStyle = colour.line;
		g.beginPath();
		g.moveTo(16.5, y - THREAD_LANE / 2 - 5);
		g.lineTo(16.5, y);
		g.lineTo(23, y);
		g.stroke();
	}
	g.font = SMALL;
	g.fillStyle = colour.dim;
	g.textAlign = "right";
	g.fillText(String(t.tid), GUTTER - 10, y);
	const room = GUTTER - 10 - g.measureText(String(t.tid)).width - 8 - (28 + indent);
	g.font = FONT;
	g.fillStyle = colour.ink;
	g.textAlign = "left";
	g.fillText(shortened(t.name, room), 28 + indent, y);
}

function shortened(name, room) {
	if (g.measureText(name).width <= room)
		return name;
	let n = name.length;
	while (n > 0 && g.measureText(name.slice(0, n) + "…").width > room)
		n--;
	return n ? name.slice(0, n) + "…" : "";
}

// --- Lanes ------------------------------------------------------------------------------------

// Calls wide(i, x, width) for spans of a pixel and more, narrow(x, sums) for a pixel's worth of
// others, whose lengths are in sums under key(i), a small number.
const KINDS = 16, sums = new Float64Array(KINDS);

function spread(list, rows, key, wide, narrow) {
	const s = scale();
	let column = null;
	const flush = () => {
		if (column !== null)
			narrow(column, sums);
		column = null;
		sums.fill(0);
	};
	for (let n = Math.max(0, after(list, rows.begin, view.begin) - 1); n < list.length; n++) {
		const i = list[n], begin = rows.begin[i], end = rows.end[i];
		if (begin > view.end)
			break;
		if (end < view.begin)
			continue;
		const width = (end - begin) * s, x = xOf(begin);
		if (width >= 1.2) {
			flush();
			const left = Math.max(x, GUTTER - 20), right = Math.min(x + width, view.width + 20);
			wide(i, left, right - left);
			continue;
		}
		const pixel = Math.floor(x);
		if (pixel !== column)
			flush();
		column = pixel;
		sums[key(i)] += end - begin || 1e-3;
	}
	flush();
}

function bar(name, lane, x, width) {
	const [share, dash] = SHAPES[name], height = Math.max(2, Math.round(lane.height * share));
	const middle = lane.y + lane.height / 2;
	if (!dash) {
		g.fillStyle = colour[name];
		g.fillRect(x, middle - height / 2, width, height);
		return;
	}
	g.strokeStyle = colour[name];
	g.lineWidth = height;
	g.setLineDash(dash);
	g.beginPath();
	g.moveTo(x, middle);
	g.lineTo(x + width, middle);
	g.stroke();
	g.setLineDash([]);
}

function drawThread(lane) {
	const list = lane.thread.spans;
	const wide = (i, x, width) => {
		const name = stateName(i);
		bar(name, lane, x, width);
		if (width > 34 && name === "running")
			inside(`CPU ${D.spans.cpu[i]}`, x, width, lane, colour.panel);
	};
	// Running shows however short it was; what else there was lies under it.
	const narrow = (x, sums) => {
		let total = 0, most = -1;
		for (let kind = 0; kind < KINDS; kind++) {
			total += sums[kind];
			if (sums[kind] && kind !== RUNNING && (most < 0 || sums[kind] > sums[most]))
				most = kind;
		}
		if (most >= 0)
			bar(D.states[most] ?? "other", lane, x, 1);
		if (sums[RUNNING]) {
			g.globalAlpha = clamp(sums[RUNNING] / Math.max(total, 0.5 / scale()), 0.45, 1);
			bar("running", lane, x, 1);
			g.globalAlpha = 1;
		}
	};
	spread(list, D.spans, (i) => STATE[i], wide, narrow);
	if (scale() > 2e-4)
		spread(lane.thread.calls, D.calls, () => 0, (i, x, width) => {
			g.fillStyle = colour.call;
			g.fillRect(x, lane.y + lane.height - 2.5, width, 1.5);
		}, () => {});
}

function drawCpu(lane) {
	const top = lane.y + 3, height = lane.height - 6;
	g.fillStyle = colour.lane;
	g.fillRect(GUTTER, top, view.width - GUTTER, height);
	const list = cpuSpans[lane.cpu];
	const wide = (i, x, width) => {
		const t = threads[D.spans.thread[i]];
		g.fillStyle = colour["p" + t.tint];
		g.fillRect(x, top, width, height);
		if (width > 3) {
			g.fillStyle = colour.ink;
			g.globalAlpha = 0.25;
			g.fillRect(x, top, 1, height);
			g.globalAlpha = 1;
		}
		if (width > 12)
			inside(t.label, x, width, lane, colour.ink, t.name, String(t.tid));
	};
	const narrow = (x, sums) => {
		let most = 0, total = 0;
		for (let tint = 0; tint < KINDS; tint++) {
			total += sums[tint];
			if (sums[tint] > sums[most])
				most = tint;
		}
		g.globalAlpha = clamp(total * scale(), 0.4, 1);
		g.fillStyle = colour["p" + most];
		g.fillRect(x, top, 1, height);
		g.globalAlpha = 1;
	};
	spread(list, D.spans, (i) => threads[D.spans.thread[i]].tint, wide, narrow);
}

// The longest that fits: all of it, the short name, the number alone.
function inside(label, x, width, lane, fill, short = label, number = short) {
	const left = Math.max(x, GUTTER) + 3, room = Math.min(x + width, view.width) - left - 2;
	let shown = null;
	for (const [words, font] of [[label, lane.thread ? SMALL : FONT], [short, SMALL], [number, SMALL]]) {
		g.font = font;
		if (g.measureText(words).width <= room) {
			shown = words;
			break;
		}
	}
	if (shown === null)
		return;
	g.fillStyle = fill;
	g.textAlign = "left";
	g.textBaseline = "middle";
	g.fillText(shown, left, lane.y + lane.height / 2 + 0.5);
}

function drawSelection() {
	if (selected.time !== null) {
		g.strokeStyle = colour.accent;
		g.lineWidth = 1;
		g.setLineDash([3, 3]);
		g.beginPath();
		const x = Math.round(xOf(selected.time)) + 0.5;
		g.moveTo(x, view.scroll);
		g.lineTo(x, view.scroll + view.height);
		g.stroke();
		g.setLineDash([]);
	}
	for (const [one, width] of [[selected, 2], [hover, 1]]) {
		if (!one || one.what !== "span")
			continue;
		const t = laneOfThread(D.spans.thread[one.i]);
		const c = STATE[one.i] === RUNNING ? laneOfCpu(D.spans.cpu[one.i]) : null;
		for (const lane of [t, c].filter(Boolean)) {
			const x = Math.max(xOf(D.spans.begin[one.i]), GUTTER - 10);
			const end = Math.min(xOf(D.spans.end[one.i]), view.width + 10);
			g.strokeStyle = colour.select;
			g.lineWidth = width;
			g.strokeRect(x, lane.y + 1.5, Math.max(end - x, 2), lane.height - 3);
		}
	}
}
