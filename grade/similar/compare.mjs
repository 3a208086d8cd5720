// Compares submissions: reads a task as JSON from the file named, and writes the result as JSON.
//
// The work is dolos-core's: it takes fingerprints of runs of tokens, leaves out those of given code,
// and finds common fragments. Here each submission is cut into items, and an item that the given code has
// too is not the student's. So the order of functions means nothing.
//
// A pair's score is the part of both submissions that is in the other one, too. A fingerprint that the
// reference has weighs next to nothing (`common`), since right solutions share it.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { File, FingerprintIndex, Pair, TokenizedFile } from "@dodona/dolos-core";
import { fragmentsOf } from "./fragments.mjs";
import { reader } from "./tokens.mjs";

const GRAMMAR = createRequire(import.meta.url).resolve("tree-sitter-c/tree-sitter-c.wasm");

function keyed(tokens) {
	return tokens.join(" ");
}

function file(path, { tokens, places }) {
	return new TokenizedFile(new File(path, ""), tokens, places);
}

// A submission's items that are not given, each of them a file of dolos-core's.
function own(submission, number, read, given, most) {
	const items = [];
	let size = 0;
	for (const [path, text] of Object.entries(submission)) {
		const found = read.items(path, text);
		if (found === null)
			return { items: [], size: 0, refused: true };
		for (const item of found) {
			if (given.has(keyed(item.tokens)))
				continue;
			size += item.tokens.length;
			items.push(Object.assign(file(path, item), { submission: number }));
		}
	}
	return size > most ? { items: [], size, refused: true } : { items, size, refused: false };
}

// The scores of all pairs with something in common, but not of two submissions of earlier years; and of each
// submission the part that the reference has.
function weigh(index, { count, controls, earlier, reference, common }) {
	const [totals, prints, known] = [1, 2, 3].map(() => new Float64Array(count));
	const shared = new Float64Array(count * count);
	for (const print of index.sharedFingerprints()) {
		if (print.ignored)
			continue;
		const uses = new Map();
		for (const part of print.parts())
			uses.set(part.file.submission, (uses.get(part.file.submission) ?? 0) + 1);
		const isKnown = uses.has(reference);
		const weight = isKnown ? common : 1;
		const found = [...uses].sort(([a], [b]) => a - b);
		for (const [i, [a, times]] of found.entries()) {
			totals[a] += weight * times;
			prints[a] += times;
			known[a] += isKnown ? times : 0;
			if (a >= earlier)
				continue;
			for (let j = i + 1; j < found.length; j++) {
				const [b, others] = found[j];
				if (a < controls && b >= controls)
					break;
				shared[a * count + b] += weight * (times + others);
			}
		}
	}
	const pairs = [];
	for (const [key, both] of shared.entries()) {
		const a = Math.floor(key / count), b = key % count;
		if (both > 0)
			pairs.push([a, b, Math.min(1, both / (totals[a] + totals[b]))]);
	}
	return { pairs, known: [...known].map((n, i) => n / Math.max(1, prints[i])) };
}

function rows(item) {
	return [item.path, item.mapping[0].startRow, item.mapping.at(-1).endRow];
}

async function main(task) {
	const read = await reader(GRAMMAR, task.names);
	const index = new FingerprintIndex(task.length, 1);
	const given = new Set();
	for (const [path, text] of Object.entries(task.given)) {
		for (const item of read.items(path, text)) {
			given.add(keyed(item.tokens));
			index.addIgnoredFile(file(path, item));
		}
	}
	const all = task.submissions.map((files, i) => own(files, i, read, given, task.most));
	for (const { items } of all)
		index.addFiles(items);
	const { pairs, known } = weigh(index, { ...task, count: all.length });
	pairs.sort((p, q) => q[2] - p[2] || p[0] - q[0] || p[1] - q[1]);
	// Of controls the score is enough.
	const chosen = pairs.filter(([a, , score]) => score >= task.threshold && a >= task.controls)
		.slice(0, task.pages);
	const entries = new Map(index.entries().map((entry) => [entry.file, entry]));
	const ofReference = new Set();
	for (const item of all[task.reference].items)
		for (const print of entries.get(item).shared)
			ofReference.add(print);
	const pairOf = (x, y) => new Pair(entries.get(x), entries.get(y));
	const details = chosen.map(([a, b]) =>
		fragmentsOf(all[a].items, all[b].items, pairOf, ofReference, entries));
	return {
		sizes: all.map((one) => one.size),
		refused: all.map((one) => one.refused),
		items: all.map((one) => one.items.map(rows)),
		known, pairs, details,
	};
}

process.stdout.write(JSON.stringify(await main(JSON.parse(readFileSync(process.argv[2], "utf8")))));
