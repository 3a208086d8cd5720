// The strip at the top: how busy the CPUs are, over all time, and where the view is.

const overview = document.getElementById("overview");
let overviewPicture = null;	// drawn once for each width and theme

const overviewScale = (width) => (width - GUTTER - 10) / Math.max(D.end, 1);

function paintOverview(width, height) {
	const c = document.createElement("canvas"), o = fit(c, width, height);
	const busy = new Float64Array(Math.ceil(width)), s = overviewScale(width);
	for (const list of cpuSpans) {
		for (const i of list) {
			const a = GUTTER + D.spans.begin[i] * s, b = GUTTER + D.spans.end[i] * s;
			for (let x = Math.floor(a); x <= b && x < busy.length; x++)
				busy[x] += Math.min(b, x + 1) - Math.max(a, x);
		}
	}
	o.fillStyle = colour.panel;
	o.fillRect(0, 0, width, height);
	o.fillStyle = colour.running;
	for (let x = 0; x < busy.length; x++) {
		const tall = Math.max(1.5, clamp(busy[x] / Math.max(D.cpus, 1), 0, 1) * (height - 9));
		if (busy[x] > 0)
			o.fillRect(x, height - 4 - tall, 1, tall);
	}
	o.fillStyle = colour.failure;
	for (const i of failures)
		o.fillRect(GUTTER + D.marks.time[i] * s - 1, 0, 3, height);
	o.font = SMALL;
	o.fillStyle = colour.dim;
	o.textBaseline = "middle";
	o.fillText(D.cpus > 1 ? "CPUs that are busy" : "CPU busy", 12, height / 2);
	return c;
}

function drawOverview() {
	const width = chart.clientWidth, height = 34, o = fit(overview, width, height);
	const key = `${width} ${window.devicePixelRatio} ${colour.paper}`;
	if (overviewPicture?.key !== key)
		overviewPicture = { key, picture: paintOverview(width, height) };
	o.drawImage(overviewPicture.picture, 0, 0, width, height);
	const s = overviewScale(width), low = GUTTER - 2, high = width - 8;
	const a = clamp(GUTTER + view.begin * s, low, high), b = clamp(GUTTER + view.end * s, low, high);
	o.fillStyle = colour.ink;
	o.globalAlpha = 0.14;
	o.fillRect(low, 0, a - low, height);
	o.fillRect(b, 0, width - b, height);
	o.globalAlpha = 1;
	o.strokeStyle = colour.accent;
	o.lineWidth = 2;
	o.strokeRect(a + 1, 1, Math.max(b - a - 2, 3), height - 3);
}
