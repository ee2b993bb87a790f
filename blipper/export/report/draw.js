(() => {
  "use strict";
  const PAPER = 680; // the width of A4 between margins of 15 mm, in CSS pixels
  const charts = [...document.querySelectorAll(".chart")];
  const config = { responsive: true, displaylogo: false, toImageButtonOptions: { format: "svg" } };
  const drawn = charts.map((chart) => {
    const figure = JSON.parse(document.getElementById(chart.dataset.figure).textContent);
    return Plotly.newPlot(chart, figure.data, figure.layout, config);
  });
  const fit = (width) => charts.forEach((chart) => Plotly.relayout(chart, width ? { width } : { width: null, autosize: true }));
  addEventListener("beforeprint", () => fit(PAPER));
  addEventListener("afterprint", () => fit(null));
  Promise.all(drawn).then(() => { document.documentElement.dataset.drawn = String(charts.length); });
})();
