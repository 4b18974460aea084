// From runs to what is drawn: panels of curves, in numbers that any renderer can put on paper.
//
// One panel per metric. A curve's colour stands for run and trainer where there are several, else
// for its mode; its dash always stands for the mode. Smoothing is an exponential moving average
// without the bias of its beginning,
//
//   a_i = w^((x_i - x_(i-1)) / d),   m_i = a_i m_(i-1) + (1 - a_i) y_i,   n_i = a_i n_(i-1) + 1 - a_i,   s_i
//   = m_i / n_i,
//
// d being the distance of points on the densest curve of the panel: there it is TensorBoard's, and a
// validation once per epoch is not smeared over epochs. It starts anew behind a value that is no
// number; the raw curve stays behind it as a ghost. Curves of more points than a picture has columns
// keep first, smallest, largest and last value of each column.
#pragma once

#include <string>
#include <vector>

#include "plot/series.hpp"

namespace lbann::plot {

/// What is drawn as one curve with a band from smallest to largest: nothing, a run's trainers, all runs.
enum class Group { none, trainers, runs };

struct FigureOptions {
  Axis axis = Axis::epoch;
  bool log_x = false;
  bool log_y = false;
  double smooth = 0;  // the weight w; 0: not at all
  Group group = Group::none;
  std::string title{};
  std::size_t columns = 1000;  // most columns of a panel
  int width = 0;               // pixels of the whole picture; 0: by the number of panels
  int height = 0;
};

struct XY {
  double x = 0;
  double y = 0;  // NaN: the curve breaks
};

struct Curve {
  std::string label{};
  int color = 0;  // index into palette()
  int dash = 0;   // 0 solid, 1 dashed, 2 dotted, 3 dash-dotted
  std::vector<XY> points{};
  std::vector<XY> ghost{};  // before smoothing; empty: not smoothed
  std::vector<XY> low{};    // band of a group; as long as `high`
  std::vector<XY> high{};
  std::size_t num_points = 0;      // finite values before thinning out
  std::size_t num_not_finite = 0;  // breaks
};

struct Panel {
  std::string metric{};
  std::string unit{};
  std::vector<Curve> curves{};
  double spacing = 1;  // d of the smoothing
  std::string title() const { return unit.empty() ? metric : metric + " [" + unit + "]"; }
  bool empty() const;  // no finite value
};

struct Figure {
  std::vector<Panel> panels{};
  std::string x_title{};
  std::vector<double> restarts{};            // positions of resumed attempts, of one run only
  std::vector<const Curve*> legend() const;  // one curve of each label
};

Figure make_figure(const std::vector<Run>& runs, const FigureOptions& options);

/// Okabe and Ito's colours, told apart by colour-blind readers and on paper: "#0072b2", ...
const std::vector<std::string>& palette();

/// Exposed for tests. Throw nothing.
std::vector<XY> smooth(const std::vector<XY>& points, double weight, double spacing);
std::vector<XY> thin_out(const std::vector<XY>& points, std::size_t columns);

/// "epoch", "training steps", "time [h]"
std::string axis_title(Axis axis);

}  // namespace lbann::plot
