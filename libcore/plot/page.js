// The page of lbann-plot: builds one dygraph per panel from `lbann_figure`. See html.hpp.
(function () {
  'use strict';
  var figure = window.lbann_figure;
  var graphs = [], hidden = {}, weight = figure.smooth, log_y = figure.log_y, busy = false;
  var patterns = [null, [9, 4], [2, 3], [9, 3, 2, 3]];

  function smooth(xs, ys, w, spacing) {
    var m = 0, n = 0, before = 0;
    return ys.map(function (y, i) {
      if (y === null) { m = n = 0; return y; }
      var a = Math.pow(w, n === 0 || xs[i] <= before ? 1 : (xs[i] - before) / spacing);
      m = a * m + (1 - a) * y;
      n = a * n + (1 - a);
      before = xs[i];
      return m / n;
    });
  }

  // Rows [x, y of curve 0, ...]: null is bridged, NaN breaks. A smoothed curve is followed by its ghost.
  function table(panel) {
    var at = new Map(), labels = ['x'], columns = [];
    panel.curves.forEach(function (c) {
      if (weight > 0) columns.push({ name: c.label + ' (raw)', x: c.x, y: c.y, curve: c, ghost: true });
      columns.push({ name: c.label, x: c.x, y: weight > 0 ? smooth(c.x, c.y, weight, panel.spacing) : c.y, curve: c, ghost: false });
      if (c.low) {
        columns.push({ name: c.label + ' (min)', x: c.bx, y: c.low, curve: c, ghost: true });
        columns.push({ name: c.label + ' (max)', x: c.bx, y: c.high, curve: c, ghost: true });
      }
    });
    columns.forEach(function (col, k) {
      labels.push(col.name);
      col.x.forEach(function (x, i) {
        if (!at.has(x)) { var row = new Array(columns.length + 1).fill(null); row[0] = x; at.set(x, row); }
        at.get(x)[k + 1] = col.y[i] === null ? NaN : col.y[i];
      });
    });
    var rows = Array.from(at.values()).sort(function (a, b) { return a[0] - b[0]; });
    return { rows: rows.length ? rows : [[0, null]], labels: labels.length > 1 ? labels : ['x', 'no values'], columns: columns };
  }

  function options(panel, data) {
    var series = {};
    data.columns.forEach(function (col) {
      series[col.name] = {
        color: col.curve.color, strokeWidth: col.ghost ? 1 : 2,
        strokePattern: col.ghost ? null : patterns[col.curve.dash],
        drawPoints: !col.ghost && col.x.length <= 40, pointSize: 2.5
      };
      if (col.ghost) series[col.name].color = col.curve.color + '55';
    });
    return {
      labels: data.labels, series: series, connectSeparatedPoints: true, legend: 'always', labelsDiv: panel.values,
      visibility: data.columns.length ? data.columns.map(function (col) { return !hidden[col.curve.label]; }) : [true],
      xlabel: figure.x_title, ylabel: panel.title, logscale: log_y, digitsAfterDecimal: 6,
      labelsSeparateLines: true, gridLineColor: '#e4e4e4', axisLineColor: '#555', highlightCircleSize: 4,
      animatedZooms: false, xRangePad: 8, yRangePad: 8, axes: { y: { axisLabelWidth: 66 } },
      legendFormatter: legend
    };
  }

  function legend(data) {
    return data.series.filter(function (s) { return s.isVisible && !/ \(raw\)$| \(min\)$| \(max\)$/.test(s.label); })
      .map(function (s) {
        var name = document.createElement('span');
        name.textContent = s.label;
        return '<b style="color:' + s.color + '">&#8212;</b> ' + name.innerHTML + (s.yHTML ? ': <b>' + s.yHTML + '</b>' : '');
      }).join('<br>') + (data.x === undefined || data.x === null ? '' : '<br>' + figure.x_title + ' ' + data.xHTML);
  }

  function rebuild() {
    graphs.forEach(function (g) { g.destroy(); });
    graphs = figure.panels.map(function (panel) {
      var data = table(panel), o = options(panel, data);
      o.drawCallback = follow;
      o.underlayCallback = mark;
      return new Dygraph(panel.box, data.rows, o);
    });
  }

  // A zoom of one panel is a zoom of all.
  function follow(g, initial) {
    if (initial || busy) return;
    busy = true;
    var range = g.xAxisRange();
    graphs.forEach(function (other) { if (other !== g) other.updateOptions({ dateWindow: range }); });
    busy = false;
  }

  // Where a resumed attempt began.
  function mark(context, area, g) {
    figure.restarts.forEach(function (x) {
      var at = g.toDomXCoord(x);
      context.strokeStyle = '#999';
      context.setLineDash([3, 3]);
      context.beginPath();
      context.moveTo(at, area.y);
      context.lineTo(at, area.y + area.h);
      context.stroke();
      context.setLineDash([]);
    });
  }

  var main = document.getElementById('panels'), seen = {};
  figure.panels.forEach(function (panel, i) {
    var cell = document.createElement('div'), box = document.createElement('div'), values = document.createElement('div');
    cell.className = 'cell';
    box.className = 'graph';
    box.id = 'panel' + i;
    values.className = 'values';
    cell.appendChild(box);
    cell.appendChild(values);
    main.appendChild(cell);
    panel.box = box;
    panel.values = values;
    panel.curves.forEach(function (c) {
      if (seen[c.label]) return;
      seen[c.label] = true;
      var label = document.createElement('label'), tick = document.createElement('input'), name = document.createElement('span');
      tick.type = 'checkbox';
      tick.checked = true;
      tick.addEventListener('change', function () { hidden[c.label] = !tick.checked; rebuild(); });
      name.textContent = c.label;
      name.style.borderBottom = '3px ' + ['solid', 'dashed', 'dotted', 'dashed'][c.dash] + ' ' + c.color;
      label.appendChild(tick);
      label.appendChild(name);
      document.getElementById('curves').appendChild(label);
    });
  });
  var slider = document.getElementById('smooth'), scale = document.getElementById('log');
  slider.value = weight;
  scale.checked = log_y;
  slider.addEventListener('input', function () { weight = parseFloat(slider.value); rebuild(); });
  scale.addEventListener('change', function () { log_y = scale.checked; rebuild(); });
  document.getElementById('whole').addEventListener('click', function () {
    graphs.forEach(function (g) { g.resetZoom(); });
  });
  rebuild();
  window.lbann_graphs = function () { return graphs; };
})();
