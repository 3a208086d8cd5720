// Says in one line what is missing here, and ends with 1; without any package, so that it always runs.

import { readFileSync } from "node:fs";

const OLDEST = 18;

function packages(name) {
	try {
		const lock = JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8"));
		const inner = Object.entries(lock.packages).filter(([path]) => path !== "");
		return inner.map(([path, about]) => `${path} ${about.integrity}`).sort().join("\n");
	} catch {
		return "";
	}
}

const major = Number(process.versions.node.split(".")[0]);
const there = packages("node_modules/.package-lock.json");
if (major < OLDEST)
	console.log(`Node.js is ${process.versions.node}, but must be ${OLDEST} or newer`);
else if (there === "")
	console.log("npm packages are missing");
else if (there !== packages("package-lock.json"))
	console.log("npm packages are of another version");
else
	process.exit(0);
process.exit(1);
