// The common fragments of two submissions, longest first, as lines of their files.

// dolos-core looks at all pairs of equal fingerprints: an item that repeats itself has too many.
const MOST_MATCHES = 200_000;

function matches(left, right, x, y) {
	let count = 0;
	for (const print of left.shared)
		if (right.shared.has(print))
			count += print.occurrencesOf(x).length * print.occurrencesOf(y).length;
	return count;
}

function whole(item) {
	return { startRow: item.mapping[0].startRow, endRow: item.mapping.at(-1).endRow };
}

function between(x, y, entries, pairOf, known) {
	const left = entries.get(x), right = entries.get(y);
	const count = matches(left, right, x, y);
	if (count === 0)
		return [];
	if (count > MOST_MATCHES) {
		const all = [0, x.tokens.length - 1], others = [0, y.tokens.length - 1];
		return [{ x, y, left: all, right: others, length: x.tokens.length, known: false,
			leftRows: whole(x), rightRows: whole(y) }];
	}
	return pairOf(x, y).buildFragments().map((found) => {
		const first = found.pairs[0], last = found.pairs.at(-1);
		return {
			x, y,
			left: [first.left.start, last.left.stop],
			right: [first.right.start, last.right.stop],
			length: last.left.stop - first.left.start + 1,
			known: found.pairs.every((pair) => known.has(pair.fingerprint)),
			leftRows: found.leftSelection,
			rightRows: found.rightSelection,
		};
	});
}

// Marks the tokens of a fragment as shown. False if more than half of them are already.
function claim(taken, item, [from, to]) {
	if (!taken.has(item))
		taken.set(item, new Uint8Array(item.tokens.length));
	const marks = taken.get(item).subarray(from, to + 1);
	const free = marks.reduce((sum, mark) => sum + (mark ? 0 : 1), 0);
	return { ok: free * 2 >= marks.length, mark: () => marks.fill(1) };
}

// @known: the fingerprints of the reference.
export function fragmentsOf(left, right, pairOf, known, entries) {
	const found = left.flatMap((x) => right.flatMap((y) => between(x, y, entries, pairOf, known)));
	found.sort((f, g) => g.length - f.length || f.left[0] - g.left[0]);
	const taken = new Map();
	const kept = [];
	for (const f of found) {
		const mine = claim(taken, f.x, f.left), theirs = claim(taken, f.y, f.right);
		if (!mine.ok || !theirs.ok)
			continue;
		mine.mark();
		theirs.mark();
		kept.push({
			left: [f.x.path, f.leftRows.startRow, f.leftRows.endRow],
			right: [f.y.path, f.rightRows.startRow, f.rightRows.endRow],
			tokens: f.length,
			known: f.known,
		});
	}
	return kept;
}
