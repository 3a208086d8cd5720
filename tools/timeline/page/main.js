// What people do: pointer, wheel, fingers, keys, buttons.

let frame = 0;

// Something that is drawn has changed.
function changed() {
	recordsSoon();
	redraw();
}

function redraw() {
	if (!frame)
		frame = requestAnimationFrame(() => {
			frame = 0;
			draw();
		});
}

// --- Selecting --------------------------------------------------------------------------------

function select(what, i, go = false) {
	Object.assign(selected, { what, i });
	if (what === "span") {
		const S = D.spans, lane = laneOfThread(S.thread[i]) ?? laneOfCpu(S.cpu[i]);
		const here = laneOf(selected.lane);
		if (!here || !spansOf(here).includes(i))
			selected.lane = lane ? lane.key : null;
		selected.time = S.begin[i];
		if (go)
			reveal(S.begin[i], S.end[i]);
	} else if (what === "arrow") {
		const A = D.arrows, lane = laneOfThread(A.to_thread[i]) ?? laneOfCpu(A.to_cpu[i]);
		selected.time = A.begin[i];
		selected.lane = lane ? lane.key : selected.lane;
		if (go)
			reveal(A.begin[i], Math.max(A.end[i], A.begin[i]));
	} else if (what === "mark") {
		selected.time = D.marks.time[i];
		if (go)
			reveal(selected.time, selected.time);
		const lane = laneOfThread(D.marks.thread[i]);
		selected.lane = lane ? lane.key : selected.lane;
	}
	if (go)
		scrollToLane();
	$("status").textContent = sentence(factsOf(what, i));
	showDetail();
	changed();
}

function unselect() {
	Object.assign(selected, { what: null, i: -1, time: null });
	showDetail();
	changed();
}

// Selects what thread @lane was in at @time; @before: what it was in just before then.
function selectAt(lane, time, before) {
	const list = threads[lane].spans;
	let place = after(list, D.spans.begin, before ? time - 0.5 : time) - 1;
	place = clamp(place, 0, list.length - 1);
	if (!matches(threads[lane]))
		$("filter").value = show.filter = "";
	if (show.lanes === "cpus")
		showLanes("both");
	selected.lane = `t${lane}`;
	layLanes();
	if (list.length)
		select("span", list[place], true);
}

function scrollToLane() {
	const lane = laneOf(selected.lane);
	makeRoom();
	if (!lane)
		return;
	if (lane.y < scroll.scrollTop + AXIS + 4)
		scroll.scrollTop = lane.y - AXIS - 20;
	else if (lane.y + lane.height > scroll.scrollTop + scroll.clientHeight - 10)
		scroll.scrollTop = lane.y + lane.height - scroll.clientHeight + 30;
}

function step(by) {
	const lane = laneOf(selected.lane) ?? lanes[0];
	if (!lane)
		return;
	selected.lane = lane.key;
	const list = spansOf(lane);
	if (!list.length)
		return;
	const here = selected.what === "span" ? list.indexOf(selected.i) : -1;
	const place = here >= 0 ? here + by
		: after(list, D.spans.begin, selected.time ?? Math.max(view.begin, 0)) - (by < 0 ? 1 : 0);
	select("span", list[clamp(place, 0, list.length - 1)], true);
}

function stepLane(by) {
	const here = lanes.indexOf(laneOf(selected.lane));
	const lane = lanes[here < 0 ? 0 : clamp(here + by, 0, lanes.length - 1)];
	if (!lane)
		return;
	selected.lane = lane.key;
	const list = spansOf(lane);
	const time = clamp(selected.time ?? (view.begin + view.end) / 2, view.begin, view.end);
	const place = clamp(after(list, D.spans.begin, time) - 1, 0, list.length - 1);
	if (list.length) {
		const keep = selected.time ?? time;
		select("span", list[place]);
		selected.time = keep;
	}
	scrollToLane();
	changed();
}

// To what made the selected span begin: the arrow into it, then where that comes from.
function followCause() {
	if (selected.what === "arrow") {
		const lane = D.arrows.from_thread[selected.i];
		if (lane !== NOBODY)
			selectAt(lane, D.arrows.begin[selected.i], true);
	} else if (selected.what === "span") {
		const list = threads[D.spans.thread[selected.i]].spans, place = list.indexOf(selected.i);
		for (let n = place; n >= 0 && n > place - 4; n--) {
			const [into] = arrowsOf(list[n]);
			if (into.length) {
				select("arrow", into[0], true);
				return;
			}
		}
	}
}

function nextFailure(by) {
	if (!failures.length)
		return;
	const here = selected.what === "mark" ? failures.indexOf(selected.i) : -1;
	select("mark", failures[(here + by + failures.length) % failures.length], true);
}

// --- What is under the pointer ----------------------------------------------------------------

function hit(x, y) {
	if (x < GUTTER)
		return null;
	let best = null, nearest = 5;
	for (const h of hits) {
		const py = h.fixed ? y : y + view.scroll;
		if (h.box) {
			if (x >= h.box[0] && x <= h.box[2] && py >= h.box[1] && py <= h.box[3])
				return { what: h.what, i: h.i };
			continue;
		}
		const away = distance(x, py, h.line);
		if (away < nearest) {
			nearest = away;
			best = { what: "arrow", i: h.i };
		}
	}
	return best ?? spanUnder(x, y + view.scroll);
}

function distance(x, y, [x1, y1, x2, y2]) {
	const dx = x2 - x1, dy = y2 - y1, length = dx * dx + dy * dy;
	const share = length ? clamp(((x - x1) * dx + (y - y1) * dy) / length, 0, 1) : 0;
	return Math.hypot(x - x1 - share * dx, y - y1 - share * dy);
}

// The span there; among those narrower than the pointer, the longest one that runs.
function spanUnder(x, y) {
	const lane = laneAt(y);
	if (!lane || y - view.scroll < AXIS)
		return null;
	const list = spansOf(lane), low = timeAt(x - 1.5), high = timeAt(x + 1.5);
	let best = -1, worth = -1;
	for (let n = Math.max(0, after(list, D.spans.begin, low) - 1); n < list.length; n++) {
		const i = list[n];
		if (D.spans.begin[i] > high)
			break;
		if (D.spans.end[i] < low)
			continue;
		const covers = Math.min(D.spans.end[i], high) - Math.max(D.spans.begin[i], low);
		const value = covers * (STATE[i] === RUNNING ? 3 : 1);
		if (value > worth)
			[best, worth] = [i, value];
	}
	return best < 0 ? null : { what: "span", i: best };
}

function showTip(x, y) {
	const tip = $("tip");
	if (!hover) {
		tip.hidden = true;
		return;
	}
	const { title, rows } = factsOf(hover.what, hover.i);
	const source = rows.find(([name]) => name === "source");
	const lines = rows.filter(([name]) => name !== "source" && name !== "until" && name !== "kind");
	tip.replaceChildren(element("b", {}, title),
		...lines.map(([name, words]) => element("div", {}, `${name} ${words}`)),
		source ? element("div", { class: "where" }, source[1]) : "");
	tip.hidden = false;
	const box = chart.getBoundingClientRect();
	const left = x + 16 + tip.offsetWidth > box.width ? x - 12 - tip.offsetWidth : x + 16;
	const top = y + 18 + tip.offsetHeight > box.height ? y - 12 - tip.offsetHeight : y + 18;
	tip.style.left = Math.max(4, left) + "px";
	tip.style.top = Math.max(4, top) + "px";
}

// --- Pointers: one drags, two pinch -----------------------------------------------------------

const pointers = new Map();
let dragged = false, pinch = null;

function place(event) {
	const box = canvas.getBoundingClientRect();
	return [event.clientX - box.left, event.clientY - box.top];
}

canvas.addEventListener("pointerdown", (event) => {
	pointers.set(event.pointerId, place(event));
	canvas.setPointerCapture(event.pointerId);
	dragged = false;
	if (pointers.size === 2) {
		const [[a], [b]] = pointers.values();
		pinch = { times: [timeAt(a), timeAt(b)] };
		dragged = true;
	}
});

canvas.addEventListener("pointermove", (event) => {
	const [x, y] = place(event), last = pointers.get(event.pointerId);
	if (!last) {
		const found = hit(x, y);
		const same = found && hover && found.what === hover.what && found.i === hover.i;
		hover = found;
		canvas.style.cursor = found ? "pointer" : x < GUTTER ? "default" : "grab";
		showTip(x, y + overview.offsetHeight);
		if (!same)
			redraw();
		return;
	}
	if (pinch && pointers.size === 2) {
		pointers.set(event.pointerId, [x, y]);
		const [[a], [b]] = pointers.values(), [ta, tb] = pinch.times;
		if (Math.abs(b - a) > 8 && (tb - ta) / (b - a) > 0) {
			const perPixel = (tb - ta) / (b - a), begin = ta - (a - GUTTER) * perPixel;
			setView(begin, begin + plotWidth() * perPixel);
		}
		return;
	}
	if (!dragged && Math.hypot(x - last[0], y - last[1]) < 4)
		return;
	dragged = true;
	hover = null;
	showTip();
	canvas.style.cursor = "grabbing";
	pan((last[0] - x) / scale());
	scroll.scrollTop -= y - last[1];
	pointers.set(event.pointerId, [x, y]);
});

function pointerUp(event) {
	const was = pointers.delete(event.pointerId);
	if (pointers.size < 2)
		pinch = null;
	if (!was || dragged || event.type !== "pointerup")
		return;
	const [x, y] = place(event), found = hit(x, y), lane = laneAt(y + view.scroll);
	chart.focus({ preventScroll: true });
	selected.lane = lane ? lane.key : selected.lane;
	if (found)
		select(found.what, found.i);
	else
		unselect();
}
canvas.addEventListener("pointerup", pointerUp);
canvas.addEventListener("pointercancel", pointerUp);
canvas.addEventListener("pointerleave", () => {
	hover = null;
	showTip();
	redraw();
});

canvas.addEventListener("dblclick", (event) => {
	const found = hit(...place(event));
	if (found && found.what === "span")
		zoomToSpan(found.i);
});

canvas.addEventListener("wheel", (event) => {
	const [x] = place(event);
	if (x < GUTTER && !event.ctrlKey)
		return;		// over the names the lanes scroll
	event.preventDefault();
	const unit = event.deltaMode === 1 ? 16 : 1;
	if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
		pan((event.deltaX || event.deltaY) * unit / scale());
	else
		zoom(Math.exp(clamp(event.deltaY * unit, -240, 240) * (event.ctrlKey ? 0.01 : 0.002)),
			timeAt(x));
}, { passive: false });

scroll.addEventListener("scroll", redraw);

// In the overview: put the view there, or drag a new one out.
let outline = null;
const overviewTime = (event) => {
	const box = overview.getBoundingClientRect();
	return (event.clientX - box.left - GUTTER) / overviewScale(box.width);
};
overview.addEventListener("pointerdown", (event) => {
	overview.setPointerCapture(event.pointerId);
	outline = overviewTime(event);
});
overview.addEventListener("pointermove", (event) => {
	if (outline === null)
		return;
	const time = overviewTime(event);
	if (Math.abs(time - outline) > D.end * 0.004)
		setView(Math.min(time, outline), Math.max(time, outline));
});
overview.addEventListener("pointerup", (event) => {
	const time = overviewTime(event);
	if (outline !== null && Math.abs(time - outline) <= D.end * 0.004)
		setView(time - (view.end - view.begin) / 2, time + (view.end - view.begin) / 2);
	outline = null;
});

// --- Buttons and keys -------------------------------------------------------------------------

function showLanes(which) {
	show.lanes = which;
	for (const name of ["both", "cpus", "threads"])
		$("show-" + name).setAttribute("aria-pressed", String(name === which));
	const kept = selected.what === "span" ? selected.i : -1;
	layLanes();
	if (kept >= 0)
		select("span", kept);
	scroll.scrollTop = 0;
	changed();
}

function zoomToSpan(i) {
	const length = Math.max(D.spans.end[i] - D.spans.begin[i], MIN_SPAN);
	setView(D.spans.begin[i] - length * 0.15, D.spans.end[i] + length * 0.15);
}

const zoomAll = () => setView(-D.end * 0.01, D.end * 1.01);

function zoomFocus() {
	if (!D.focus)
		return zoomAll();
	const [begin, end] = D.focus, margin = (end - begin) * 0.015;
	setView(begin - margin, end + margin);
}

function turnTheme() {
	const root = document.documentElement;
	setTheme(root.dataset.theme === "dark" ? "light" : "dark");
}

function setTheme(name) {
	document.documentElement.dataset.theme = name;
	readColours();
	drawLegend();
	showDetail();
	redraw();
}

const KEYS = [
	["← →", "previous and next span of the lane",
		{ ArrowLeft: () => step(-1), ArrowRight: () => step(1) }],
	["↑ ↓", "lane above, lane below", { ArrowUp: () => stepLane(-1), ArrowDown: () => stepLane(1) }],
	["+ −", "zoom", { "+": () => zoomHere(0.5), "=": () => zoomHere(0.5), "-": () => zoomHere(2) }],
	["Shift ← →, a d", "earlier, later", { a: () => panShare(-0.25), d: () => panShare(0.25) }],
	["Enter", "zoom to the selected span",
		{ Enter: () => selected.what === "span" && zoomToSpan(selected.i) }],
	["g", "go to what caused it: the arrow into it, then where that comes from", { g: followCause }],
	["n p", "next and previous failure", { n: () => nextFailure(1), p: () => nextFailure(-1) }],
	["0, 1", "everything; the command alone", { 0: zoomAll, 1: zoomFocus }],
	["b c t", "both, CPUs, threads",
		{ b: () => showLanes("both"), c: () => showLanes("cpus"), t: () => showLanes("threads") }],
	["h", "hide threads that do not live in what is shown", { h: () => $("present").click() }],
	["/", "search threads by name or number", { "/": () => $("filter").focus() }],
	["r", "to the list of records", { r: () => $("table").focus() }],
	["l", "light or dark", { l: turnTheme }],
	["Esc", "select nothing", { Escape: unselect }],
	["?", "this list", { "?": () => $("keys").showModal() }],
];
const ACTIONS = Object.assign({}, ...KEYS.map(([, , actions]) => actions));

function zoomHere(factor) {
	const time = selected.time;
	zoom(factor, time !== null && time > view.begin && time < view.end ? time : undefined);
}

const panShare = (share) => pan((view.end - view.begin) * share);

document.addEventListener("keydown", (event) => {
	const target = event.target;
	if (target instanceof HTMLInputElement && target.type === "search") {
		if (event.key === "Escape" || event.key === "Enter")
			chart.focus();
		return;
	}
	hover = null;
	showTip();
	if (event.ctrlKey || event.altKey || event.metaKey || $("keys").open)
		return;
	const typing = event.key.startsWith("Arrow") || event.key === "Enter";
	if (typing && target !== chart && target !== document.body)
		return;
	const sideways = { ArrowLeft: -0.25, ArrowRight: 0.25 }[event.key];
	if (event.shiftKey && sideways)
		panShare(sideways);
	else if (ACTIONS[event.key])
		ACTIONS[event.key]();
	else
		return;
	event.preventDefault();
});

function drawLegend() {
	const box = $("legend"), used = new Set(STATE);
	box.replaceChildren();
	for (const [n, name] of D.states.entries()) {
		if (!used.has(n))
			continue;
		const swatch = element("canvas");
		box.append(element("span", { class: "item" }, swatch, name));
		const kept = g;
		g = fit(swatch, 30, 14);
		bar(name, { y: 0, height: 14 }, 1, 28);
		g = kept;
	}
	const kinds = new Set(D.arrows.kind.map(text));
	if (kinds.size)
		box.append(element("span", { class: "gap" }));
	for (const kind of D.arrowKinds.filter((k) => kinds.has(k)))
		box.append(arrowItem(kind));
}

function arrowItem(kind) {
	const swatch = element("canvas"), item = element("button", {
		class: "item", title: "show or hide", "aria-pressed": String(show.arrows.has(kind)),
		onclick: () => {
			show.arrows.delete(kind) || show.arrows.add(kind);
			item.setAttribute("aria-pressed", String(show.arrows.has(kind)));
			redraw();
		},
	}, swatch, { ipi: "IPI", join: "join, wait", create: "creates", kill: "kills", wake: "wakes" }[kind]);
	const c = fit(swatch, 30, 14), [width, dash] = ARROWS[kind];
	c.strokeStyle = c.fillStyle = colour[kind];
	c.lineWidth = width;
	c.setLineDash(dash ?? []);
	c.beginPath();
	c.moveTo(2, 7);
	c.lineTo(22, 7);
	c.stroke();
	c.beginPath();
	c.moveTo(29, 7);
	c.lineTo(21, 3.5);
	c.lineTo(21, 10.5);
	c.fill();
	return item;
}

function start() {
	$("title").textContent = D.title;
	const records = `${D.records.time.length.toLocaleString("en")} records`;
	$("subtitle").textContent = [D.subtitle, `${threads.length} threads`, duration(D.end), records,
		D.notes.length ? "not complete" : ""].filter(Boolean).join(" · ");
	for (const [keys, what] of KEYS)
		$("key-list").append(element("dt", {}, keys), element("dd", {}, what));
	$("zoom-focus").hidden = !D.focus;
	$("failure").hidden = !failures.length;
	const clicks = {
		"show-both": () => showLanes("both"), "show-cpus": () => showLanes("cpus"),
		"show-threads": () => showLanes("threads"), "zoom-in": () => zoomHere(0.5),
		"zoom-out": () => zoomHere(2), "zoom-all": zoomAll, "zoom-focus": zoomFocus,
		failure: () => nextFailure(1), theme: turnTheme, help: () => $("keys").showModal(),
		earlier: () => turnPage(-PAGE), later: () => turnPage(PAGE),
	};
	for (const [id, action] of Object.entries(clicks))
		$(id).addEventListener("click", action);
	$("filter").addEventListener("input", () => {
		show.filter = $("filter").value;
		layLanes();
		scroll.scrollTop = 0;
		changed();
	});
	$("present").addEventListener("change", () => {
		show.present = $("present").checked;
		layLanesInPlace();
		changed();
	});
	$("in-view").addEventListener("change", findRecords);
	$("words").addEventListener("input", recordsSoon);
	new ResizeObserver(redraw).observe(chart);
	show.present = $("present").checked = threads.length > 60;
	layLanes();
	setTheme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
	view.width = scroll.clientWidth;
	zoomFocus();
	if (failures.length)
		nextFailure(1);
}

start();
