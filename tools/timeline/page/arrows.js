// Arrows between lanes, and the signs on them.

// Where arrow @i starts and ends on the page, in thread lanes if it can, in CPU lanes otherwise.
function arrowPoints(i) {
	const A = D.arrows, from = laneOfThreadFast(A.from_thread[i]), to = laneOfThreadFast(A.to_thread[i]);
	if (from && to && from !== to) {
		const down = to.y > from.y;
		const start = from.y + from.height / 2 + (down ? 4 : -4);
		const end = to.y + to.height / 2 + (down ? -1 : 1) * to.height * 0.24;
		return [xOf(A.begin[i]), start, xOf(A.end[i]), end];
	}
	if (show.lanes === "both" && text(A.kind[i]) !== "ipi")
		return null;
	const a = laneOfCpu(A.from_cpu[i]), b = laneOfCpu(A.to_cpu[i]);
	if (!a || !b || a === b)
		return null;
	const lands = A.lands[i] >= 0 ? A.lands[i] : A.end[i], down = b.y > a.y;
	return [xOf(A.begin[i]), a.y + a.height / 2, xOf(lands), b.y + (down ? 4 : b.height - 4)];
}

let laneIndex = new Map();
const laneOfThreadFast = (lane) => laneIndex.get(lane);

function isSelectedArrow(i) {
	if (selected.what === "arrow" && selected.i === i || hover && hover.what === "arrow" && hover.i === i)
		return true;
	if (selected.what !== "span")
		return false;
	const s = selected.i, lane = D.spans.thread[s];
	return D.arrows.to_thread[i] === lane && D.arrows.end[i] === D.spans.begin[s] ||
		D.arrows.from_thread[i] === lane && D.arrows.begin[i] >= D.spans.begin[s] &&
		D.arrows.begin[i] <= D.spans.end[s];
}

function drawArrows() {
	const A = D.arrows, byKind = new Map(FIRST_DRAWN.map((kind) => [kind, []])), chosen = [];
	laneIndex = new Map(lanes.filter((l) => l.thread).map((l) => [l.thread.lane, l]));
	hidden = 0;
	const low = view.scroll - 60, high = view.scroll + view.height + 60;
	for (let i = 0; i < A.begin.length && A.begin[i] <= view.end; i++) {
		if (Math.max(A.end[i], A.lands[i]) < view.begin || !show.arrows.has(text(A.kind[i])))
			continue;
		if (isSelectedArrow(i))
			chosen.push(i);
		else
			byKind.get(text(A.kind[i]))?.push(i);
	}
	let left = ARROW_BUDGET;
	for (const list of byKind.values()) {
		const apart = list.length > 40 ? list.filter(isApart(new Set())) : list;
		if (apart.length > left) {
			hidden += list.length;
			continue;
		}
		left -= apart.length;
		hidden += list.length - apart.length;
		for (const i of apart)
			drawArrow(i, false, low, high);
	}
	for (const i of chosen)
		drawArrow(i, true, low, high);
}

// Of arrows that would lie on each other one is enough.
const isApart = (seen) => (i) => {
	const A = D.arrows, end = (thread, cpu) => thread === NOBODY ? threads.length + cpu + 1 : thread;
	const from = end(A.from_thread[i], A.from_cpu[i]), to = end(A.to_thread[i], A.to_cpu[i]);
	const place = (from * (threads.length + 16) + to) * 4096 + Math.round(xOf(A.begin[i]) / 5) % 4096;
	return !seen.has(place) && seen.add(place);
};

function drawArrow(i, strong, low, high) {
	const points = arrowPoints(i);
	if (!points)
		return;
	const [x1, y1, x2, y2] = points, kind = text(D.arrows.kind[i]);
	const [width, dash] = ARROWS[kind] ?? ARROWS.wake;
	if (Math.max(y1, y2) < low || Math.min(y1, y2) > high)
		return;
	g.strokeStyle = g.fillStyle = colour[kind] ?? colour.ink;
	g.lineWidth = strong ? width + 1.2 : width;
	g.globalAlpha = strong || kind === "kill" ? 1 : 0.75;
	const angle = Math.atan2(y2 - y1, x2 - x1), head = strong ? 8 : 6.5;
	g.setLineDash(dash ?? []);
	g.beginPath();
	g.moveTo(x1, y1);
	g.lineTo(x2 - head * 0.7 * Math.cos(angle), y2 - head * 0.7 * Math.sin(angle));
	g.stroke();
	g.setLineDash([]);
	g.beginPath();
	g.arc(x1, y1, strong ? 3 : 2.2, 0, 7);
	g.fill();
	g.beginPath();
	g.moveTo(x2, y2);
	g.lineTo(x2 - head * Math.cos(angle - 0.42), y2 - head * Math.sin(angle - 0.42));
	g.lineTo(x2 - head * Math.cos(angle + 0.42), y2 - head * Math.sin(angle + 0.42));
	g.fill();
	g.globalAlpha = 1;
	hits.push({ what: "arrow", i, line: points });
}

// Small signs at the foot of a lane: a wedge for kinds that we do not know. Some are only records.
const QUIET = new Set(["slice", "name", "end", "migrate"]);
const wedge = (x, y) => [[x - 4, y + 3, x, y - 4], [x, y - 4, x + 4, y + 3], [x + 4, y + 3, x - 4, y + 3]];
const SIGNS = {
	exit: (x, y) => [[x - 3, y - 3, x + 3, y + 3], [x - 3, y + 3, x + 3, y - 3]],
	kill: (x, y) => [[x - 4.5, y - 4.5, x + 4.5, y + 4.5], [x - 4.5, y + 4.5, x + 4.5, y - 4.5]],
	preempt: (x, y) => [[x + 2, y - 4, x - 2, y], [x - 2, y, x + 2, y + 4]],
};

function drawMarks(seen) {
	for (const i of failures) {
		const x = Math.round(xOf(D.marks.time[i])) + 0.5;
		g.strokeStyle = colour.failure;
		g.lineWidth = 2;
		g.beginPath();
		g.moveTo(x, view.scroll);
		g.lineTo(x, view.scroll + view.height);
		g.stroke();
	}
	for (const lane of seen.filter((l) => l.thread)) {
		let last = -100;
		const list = lane.thread.marks;
		for (let n = Math.max(0, after(list, D.marks.time, view.begin) - 1); n < list.length; n++) {
			const i = list[n], x = xOf(D.marks.time[i]);
			if (x > view.width + 10)
				break;
			if (x < GUTTER - 10 || x - last < 11 || QUIET.has(text(D.marks.kind[i])))
				continue;
			last = x;
			drawMark(i, x, lane);
		}
	}
}

function drawMark(i, x, lane) {
	const kind = text(D.marks.kind[i]), y = lane.y + lane.height - 5;
	const ink = kind === "kill" ? colour.kill : colour.ink;
	for (const [stroke, width] of [[colour.paper, 4], [ink, 1.6]]) {
		g.strokeStyle = stroke;
		g.lineWidth = width;
		g.beginPath();
		for (const [x1, y1, x2, y2] of (SIGNS[kind] ?? wedge)(x, y)) {
			g.moveTo(x1, y1);
			g.lineTo(x2, y2);
		}
		g.stroke();
	}
	hits.push({ what: "mark", i, box: [x - 5, y - 5, x + 5, y + 5] });
}
