// Bundles the player into ../build: one ES module, one stylesheet, the licences of what is inside.
import { build } from "esbuild";
import { mkdir, readFile, writeFile } from "node:fs/promises";

const out = new URL("../build/", import.meta.url);
const BANNER = "/* Built from ui/player/frontend by npm run build; licences: LICENSES.txt */\n";
await mkdir(out, { recursive: true });

await build({
  entryPoints: { player: "src/index.ts" },
  outdir: out.pathname,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  charset: "utf8",
  // Streamlit takes one line without a line break for a path.
  banner: { js: BANNER, css: BANNER },
});

const { version } = JSON.parse(await readFile("node_modules/wavesurfer.js/package.json", "utf8"));
const licence = await readFile("node_modules/wavesurfer.js/LICENSE", "utf8");
await writeFile(
  new URL("LICENSES.txt", out),
  `player.js contains wavesurfer.js ${version} (https://wavesurfer.xyz) under this licence:\n\n${licence}`,
);
