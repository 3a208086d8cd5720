// Reads C and assembly as items (functions, declarations), each a list of tokens with their places.
//
// A token is what stays when names, comments and layout change: the kinds of the syntax tree's nodes, and
// operators. Names count where a student cannot change them: functions, fields, types and constants of
// headers. Statements are the same with braces around a single one, and without.

import { Language, Parser } from "web-tree-sitter";
import { Region } from "@dodona/dolos-core";

const TRANSPARENT = new Set(["parenthesized_expression", "expression_statement", "compound_statement"]);
const LEFT_OUT = new Set(["comment", "preproc_include"]);
const OPAQUE = new Set(["char_literal", "string_literal", "concatenated_string"]);
const OPERATOR = /^[-+*/%&|^~!<>=?]+$/;
const MOST_CALLS = 20_000;	// of the parser, each after 100 steps; not seconds, so that machines agree
const CONSTANT = /^[A-Z][A-Z0-9_]+$/;

export async function reader(grammar, names) {
	await Parser.init();
	const parser = new Parser();
	parser.setLanguage(await Language.load(grammar));
	return new Reader(parser, new Set(names));
}

class Reader {
	constructor(parser, names) {
		this.parser = parser;
		this.names = names;
	}

	// The items of a file: {tokens, places}. null: the parser takes too long to make sense of the text.
	items(path, text) {
		return path.endsWith(".S") ? this.assembly(text) : this.c(text);
	}

	c(text) {
		let calls = 0;
		const progressCallback = () => ++calls > MOST_CALLS;
		const tree = this.parser.parse(text, null, { progressCallback });
		if (tree === null) {
			this.parser.reset();
			return null;
		}
		const declared = tree.rootNode.descendantsOfType("field_identifier")
			.filter((field) => field.parent.type !== "field_expression");
		this.fields = new Set(declared.map((field) => field.text));
		const items = [];
		const cursor = tree.walk();
		for (let more = cursor.gotoFirstChild(); more; more = cursor.gotoNextSibling()) {
			const item = this.item(cursor);
			if (item.tokens.length > 0)
				items.push(item);
		}
		cursor.delete();
		tree.delete();
		return items;
	}

	// The tokens below the cursor, which comes back to where it was. Without recursion, since a student
	// chooses how deep the tree is.
	item(cursor) {
		const tokens = [], places = [], open = [];
		const put = (token, from, to) => {
			tokens.push(token);
			places.push(new Region(from.row, from.column, to.row, to.column));
		};
		for (;;) {
			const kind = cursor.nodeType;
			const begin = cursor.startPosition, end = cursor.endPosition;
			const shown = cursor.nodeIsNamed ? !TRANSPARENT.has(kind) : OPERATOR.test(kind);
			let inside = false;
			if (!LEFT_OUT.has(kind)) {
				inside = !OPAQUE.has(kind) && cursor.gotoFirstChild();
				if (inside) {
					open.push(shown ? kind : "");
					if (shown)
						put(kind, begin, begin);
				} else if (shown) {
					put(this.leaf(kind, cursor, open.at(-1)), begin, end);
				}
			}
			if (inside)
				continue;
			while (open.length > 0 && !cursor.gotoNextSibling()) {
				cursor.gotoParent();
				const last = cursor.endPosition;
				if (open.pop())
					put(")", last, last);
			}
			if (open.length === 0)
				return { tokens, places };
		}
	}

	leaf(kind, cursor, parent) {
		if (kind === "field_identifier")	// the file's own structures are free to choose
			return this.fields.has(cursor.nodeText) ? kind : this.name(kind, cursor.nodeText);
		if (kind === "type_identifier" || kind === "primitive_type")
			return this.name(kind, cursor.nodeText);
		if (kind !== "identifier")
			return kind;
		const text = cursor.nodeText;
		const called = parent === "call_expression" || parent === "function_declarator";
		return called || CONSTANT.test(text) ? this.name(kind, text) : kind;
	}

	name(kind, text) {
		return this.names.has(text) ? text : kind;
	}

	// Instructions keep their names, and so do words of headers; a label begins an item.
	assembly(text) {
		const items = [];
		let item;
		const blank = (comment) => comment.replace(/[^\n]/g, " ");
		const bare = text.replace(/\/\*[^]*?(\*\/|$)|\/\/.*/g, blank);
		for (const [row, line] of bare.split("\n").entries()) {
			if (line.startsWith("#"))
				continue;
			if (item === undefined || /^\S/.test(line))
				items.push(item = { tokens: [], places: [] });
			for (const word of line.matchAll(/[%$.]?[\w.]+/g)) {
				const number = /^\$?\d/.test(word[0]);
				item.tokens.push(number ? "number" : this.name("name", word[0]));
				const end = word.index + word[0].length;
				item.places.push(new Region(row, word.index, row, end));
			}
		}
		return items.filter((found) => found.tokens.length > 0);
	}
}
