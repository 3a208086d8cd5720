// The panel beside the lanes: what is selected, and the records as text.

const $ = (id) => document.getElementById(id);
const PAGE = 120;

function element(name, attributes = {}, ...children) {
	const e = document.createElement(name);
	for (const [key, value] of Object.entries(attributes))
		key.startsWith("on") ? e.addEventListener(key.slice(2), value) : e.setAttribute(key, value);
	e.append(...children.filter((c) => c !== null && c !== ""));
	return e;
}

const dot = (fill) => element("span", { class: "dot", style: `background:${fill}` });
const labelOf = (lane) => lane === NOBODY ? "" : threads[lane].label;

// --- What is known of one thing: a title and rows of [name, words] ----------------------------

function factsOf(what, i) {
	return { span: spanFacts, arrow: arrowFacts, mark: markFacts }[what](i);
}

function spanFacts(i) {
	const S = D.spans, name = text(S.state[i]), cpu = S.cpu[i];
	const call = callAt(S.thread[i], (S.begin[i] + S.end[i]) / 2);
	return {
		title: `${labelOf(S.thread[i])}: ${name}`,
		colour: colour[stateName(i)],
		rows: [
			["since", moment(S.begin[i])],
			["until", S.end[i] >= D.end ? "the end" : moment(S.end[i])],
			["for", duration(S.end[i] - S.begin[i])],
			["on", cpu < 0 ? "" : name === "running" ? `CPU ${cpu}` : `CPU ${cpu}'s account`],
			["why", text(S.why[i])],
			["by", name === "running" ? "" : text(S.by[i])],
			["call", call < 0 ? "" : `${text(D.calls.name[call])}(), ${callResult(call)}`],
			["source", text(S.where[i])],
		].filter(([, words]) => words),
	};
}

function callResult(i) {
	const result = text(D.calls.result[i]), length = duration(D.calls.end[i] - D.calls.begin[i]);
	return /^-?\w+$/.test(result) ? `gives ${result} after ${length}` : `${result}, ${length}`;
}

const endOf = (lane, cpu) =>
	[labelOf(lane), cpu >= 0 ? `CPU ${cpu}` : ""].filter(Boolean).join(", ");

function arrowFacts(i) {
	const A = D.arrows, lands = Math.max(A.lands[i], A.end[i]);
	return {
		title: text(A.text[i]) || text(A.kind[i]),
		colour: colour[text(A.kind[i])],
		rows: [
			["kind", text(A.kind[i])],
			["at", moment(A.begin[i])],
			["from", endOf(A.from_thread[i], A.from_cpu[i])],
			["to", endOf(A.to_thread[i], A.to_cpu[i])],
			["effect", lands > A.begin[i] ? `after ${duration(lands - A.begin[i])}` : ""],
			["source", text(A.where[i])],
		].filter(([, words]) => words),
	};
}

function markFacts(i) {
	const M = D.marks;
	return {
		title: text(M.text[i]),
		colour: colour[text(M.kind[i])] ?? colour.ink,
		rows: [
			["kind", text(M.kind[i])],
			["at", moment(M.time[i])],
			["thread", labelOf(M.thread[i])],
			["CPU", M.cpu[i] >= 0 ? String(M.cpu[i]) : ""],
			["source", text(M.where[i])],
		].filter(([, words]) => words),
	};
}

const sentence = ({ title, rows }) => [title, ...rows.map(([name, words]) => `${name} ${words}`)].join(", ");

// --- The selected thing -----------------------------------------------------------------------

// Arrows that end where the span begins, and those that start in it.
function arrowsOf(i) {
	const A = D.arrows, S = D.spans, lane = S.thread[i], into = [], out = [];
	for (let n = 0; n < A.begin.length && A.begin[n] <= S.end[i]; n++) {
		if (A.to_thread[n] === lane && A.end[n] === S.begin[i])
			into.push(n);
		else if (A.from_thread[n] === lane && A.begin[n] >= S.begin[i])
			out.push(n);
	}
	return [into, out];
}

function showDetail() {
	const box = $("detail"), title = $("detail-title");
	box.replaceChildren();
	if (!selected.what) {
		title.textContent = "Nothing selected";
		box.append(element("p", {}, "Point at a span or an arrow for what it is; click to keep it " +
			"here. Wheel zooms, dragging moves, ? lists the keys."));
		for (const note of D.notes)
			box.append(element("p", {}, note));
		return;
	}
	const facts = factsOf(selected.what, selected.i);
	title.replaceChildren(dot(facts.colour), facts.title);
	box.append(factList(facts));
	const list = element("ul");
	if (selected.what === "span") {
		const [into, out] = arrowsOf(selected.i);
		for (const n of [...into, ...out.slice(0, 12)])
			list.append(element("li", {}, arrowButton(n, into.includes(n))));
		if (out.length > 12)
			list.append(element("li", {}, `and ${out.length - 12} more`));
	}
	if (selected.what === "arrow") {
		const A = D.arrows, i = selected.i;
		if (A.from_thread[i] !== NOBODY)
			list.append(endButton("Show who did it: ", A.from_thread[i], A.begin[i], true));
		if (A.to_thread[i] !== NOBODY)
			list.append(endButton("Show what it did to ", A.to_thread[i], A.end[i], false));
	}
	box.append(list);
}

function factList(facts) {
	const list = element("dl");
	for (const [name, words] of facts.rows) {
		const value = name === "source" ? element("span", { class: "where" }, words) : words;
		list.append(element("dt", {}, name), element("dd", {}, value));
	}
	return list;
}

function arrowButton(n, into) {
	const words = (into ? "← " : "→ ") + text(D.arrows.text[n]);
	return element("button", { onclick: () => select("arrow", n, true) },
		dot(colour[text(D.arrows.kind[n])]), words);
}

function endButton(words, lane, time, before) {
	const onclick = () => selectAt(lane, time, before);
	return element("li", {}, element("button", { onclick }, words, threads[lane].label));
}

// --- Records ----------------------------------------------------------------------------------

let page = { list: [], first: 0 }, pageTimer = 0;

function recordsSoon() {
	clearTimeout(pageTimer);
	pageTimer = setTimeout(findRecords, 120);
}

function findRecords() {
	const R = D.records, words = $("words").value.toLowerCase(), all = !$("in-view").checked, list = [];
	const known = new Map();	// by text, for there are few of them
	const says = (n) => {
		if (!known.has(n))
			known.set(n, text(n).toLowerCase().includes(words));
		return known.get(n);
	};
	const wanted = new Set(threads.filter(matches).map((t) => t.lane));
	for (let i = 0; i < R.time.length; i++) {
		if (!all && (R.time[i] < view.begin || R.time[i] > view.end))
			continue;
		if (show.filter && !wanted.has(R.thread[i]))
			continue;
		if (!words || says(R.text[i]))
			list.push(i);
	}
	page = { list, first: 0 };
	if (selected.time !== null) {
		const here = after(list, R.time, selected.time - 1);
		page.first = Math.max(0, Math.floor(here / PAGE) * PAGE);
		if (page.first >= list.length)
			page.first = Math.max(0, list.length - PAGE);
	}
	showRecords();
}

function showRecords() {
	const R = D.records, shown = page.list.slice(page.first, page.first + PAGE);
	let now = null;
	const rows = shown.map((i) => {
		const row = element("tr", { title: text(R.where[i]), onclick: () => goToRecord(i) },
			element("td", {}, ((R.time[i] + D.base) / 1e6).toFixed(4)),
			element("td", {}, R.cpu[i] < 0 ? "" : String(R.cpu[i])),
			element("td", {}, labelOf(R.thread[i])),
			element("td", {}, element("button", {}, text(R.text[i]))));
		if (selected.time !== null && R.time[i] === selected.time) {
			row.className = "now";
			now ??= row;
		}
		return row;
	});
	$("rows").replaceChildren(...rows);
	$("table").scrollTop = now ? Math.max(0, now.offsetTop - 80) : 0;
	const n = page.list.length.toLocaleString("en");
	const [from, to] = [page.first + 1, page.first + shown.length].map((x) => x.toLocaleString("en"));
	$("count").textContent = shown.length ? `${from} to ${to} of ${n}, times in ms` : "none";
	$("earlier").disabled = page.first === 0;
	$("later").disabled = page.first + PAGE >= page.list.length;
}

function turnPage(by) {
	page.first = clamp(page.first + by, 0, Math.max(0, page.list.length - 1));
	showRecords();
}

function goToRecord(i) {
	const R = D.records;
	reveal(R.time[i], R.time[i]);
	if (R.thread[i] !== NOBODY)
		selectAt(R.thread[i], R.time[i], false);
	selected.time = R.time[i];
	changed();
}
