// The layer table on many ranks: every row, with its inputs, weights and cotangents placed on a mesh as a
// seeded draw says and with redistributions in between, gives on V simulated ranks (threads of this process)
// what it gives on one, to 1e-12 in double. What the draws do not reach here, `tests/full` does: it sets
// LBANN_RANKS_SAMPLES to the number of draws per row and mesh.
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <random>
#include <thread>

#include "base/diagnostic.hpp"
#include "comm/communicator.hpp"
#include "table.hpp"

namespace {

using namespace lbann;
using table::Prepared;
using table::RankSetting;
using table::Results;
using table::Row;
using table::Setting;
using tensor::AxisPlacement;
using tensor::DataType;
using tensor::Mesh;
using tensor::Placement;
using tensor::PlacementKind;
using tensor::Shape;

const std::vector<Row>& rows() {
  static const std::vector<Row> all = table::load_rows();
  return all;
}

const passes::KernelCatalogue& reference_catalogue() {
  static const auto catalogue = passes::make_reference_catalogue();
  return *catalogue;
}

int samples_per_mesh() {
  const char* text = std::getenv("LBANN_RANKS_SAMPLES");
  return text == nullptr ? 1 : std::max(1, std::atoi(text));
}

std::string describe(const RankSetting& s) {
  std::string text;
  for (const tensor::MeshAxis& a : s.mesh.axes) text += (text.empty() ? "" : "x") + std::to_string(a.size);
  for (const auto& [name, p] : s.placements) text += " " + name + "@" + p.to_string();
  return text + " noise " + std::to_string(s.noise);
}

/// Every boundary of the row somewhere on the mesh.
RankSetting draw_setting(const Mesh& mesh, const std::map<std::string, Shape>& boundaries, unsigned seed) {
  std::mt19937 numbers(seed);
  RankSetting s;
  s.mesh = mesh;
  for (const auto& [name, shape] : boundaries) {
    if (name == "random_state" || name == "random_scalars") continue;
    Placement p;
    for (std::size_t a = 0; a < mesh.axes.size(); ++a) {
      const int dim = static_cast<int>(numbers() % static_cast<unsigned>(shape.rank() + 1)) - 1;
      p.axes.push_back(dim < 0 ? AxisPlacement{} : AxisPlacement{PlacementKind::shard, dim});
    }
    s.placements[name] = p;
  }
  s.noise = static_cast<unsigned>(numbers() % 1000);  // 0, no noise, is one of them
  return s;
}

double largest(const std::vector<double>& values) {
  double m = 0;
  for (double x : values) {
    if (std::isfinite(x)) m = std::max(m, std::fabs(x));
  }
  return m;
}

/// "in0" for "dx0", "w0" for "dw0" and "w0_new"; outputs have no boundary: they are whole.
std::string boundary_of(const std::string& result) {
  if (result.rfind("dx", 0) == 0) return "in" + result.substr(2);
  if (result.rfind("dw", 0) == 0) return "w" + result.substr(2);
  if (result[0] == 'w') return result.substr(0, result.find('_'));
  return "";
}

/// The first difference in words, or nothing.
std::string compare(const Row& row, const Results& whole, const Results& got, const RankSetting& ranks,
                    const std::map<std::string, Shape>& boundaries) {
  for (const auto& [name, values] : whole) {
    const auto found = got.find(name);
    if (found == got.end()) return name + " is missing";
    const std::string boundary = boundary_of(name);
    const auto shape = boundaries.find(boundary);
    const std::vector<double> want =
        shape == boundaries.end() ? values : table::piece_of(values, shape->second, &ranks, boundary);
    if (found->second.size() != want.size()) {
      return name + " has " + std::to_string(found->second.size()) + " elements, not " +
             std::to_string(want.size());
    }
    double scale = std::max(largest(values), 1.0);
    for (const table::Array& dy : row.cotangents) {
      if (name[0] == 'd') scale = std::max(scale, largest(dy.values));
    }
    for (std::size_t i = 0; i < want.size(); ++i) {
      const double a = found->second[i], b = want[i];
      if (a == b || (std::isnan(a) && std::isnan(b))) continue;
      if (std::fabs(a - b) <= 1e-12 * scale) continue;
      return name + "[" + std::to_string(i) + "] is " + std::to_string(a) + ", on one rank " +
             std::to_string(b);
    }
  }
  return "";
}

/// What went wrong on V ranks, or nothing.
std::string run_on_ranks(const Row& row, const RankSetting& setting, const Results& whole,
                         const std::map<std::string, Shape>& boundaries) {
  const int num_ranks = setting.mesh.num_ranks();
  const auto world = comm::make_self_world(num_ranks, 60);
  std::vector<std::string> problems(static_cast<std::size_t>(num_ranks));
  std::vector<std::thread> threads;
  for (int r = 0; r < num_ranks; ++r) {
    threads.emplace_back([&, r] {
      comm::Communicator& end = *world[static_cast<std::size_t>(r)];
      std::string& problem = problems[static_cast<std::size_t>(r)];
      try {
        runtime::RankGroups groups(end);
        RankSetting mine = setting;
        mine.rank = r;
        mine.groups = &groups;
        Setting s{DataType::f64, &reference_catalogue(), {}, true, false, &mine};
        Prepared prepared(row, s);
        problem = compare(row, whole, prepared.run(), mine, boundaries);
        if (!problem.empty() && std::getenv("LBANN_RANKS_ROW") != nullptr)
          problem += "\n" + prepared.program();
      } catch (const std::exception& e) {
        problem = e.what();
        end.abort("rank " + std::to_string(r) + ": " + problem);
      }
    });
  }
  for (std::thread& t : threads) t.join();
  for (int r = 0; r < num_ranks; ++r) {
    const std::string& problem = problems[static_cast<std::size_t>(r)];
    if (!problem.empty()) return "rank " + std::to_string(r) + ": " + problem;
  }
  return "";
}

Mesh make_mesh(std::vector<int> sizes) {
  Mesh mesh;
  mesh.axes.clear();
  for (std::size_t a = 0; a < sizes.size(); ++a) mesh.axes.push_back({"axis" + std::to_string(a), sizes[a]});
  return mesh;
}

}  // namespace

BOOST_AUTO_TEST_CASE(rows_on_many_ranks_equal_one_rank) {
  const std::vector<std::vector<int>> meshes = {{2}, {3}, {4}, {6}, {8}, {2, 2}, {2, 3}, {2, 4}};
  int tried = 0, drawn = 0;
  const int samples = samples_per_mesh();
  const char* only = std::getenv("LBANN_RANKS_ROW");  // to look into one row, with its programs
  for (std::size_t i = 0; i < rows().size(); ++i) {
    const Row& row = rows()[i];
    if (only != nullptr && row.name != only) continue;
    Prepared prepared(row, {DataType::f64, &reference_catalogue(), {}, false});
    const Results whole = prepared.run();
    const std::map<std::string, Shape> boundaries = prepared.boundaries();
    for (std::size_t m = 0; m < meshes.size(); ++m) {
      // The quick suite takes two meshes of every row in turn.
      if (samples == 1 && m != i % meshes.size() && m != (i * 5 + 3) % meshes.size()) continue;
      for (int s = 0; s < samples; ++s) {
        const unsigned seed =
            static_cast<unsigned>(1 + i * 1000003 + m * 10007 + static_cast<std::size_t>(s) * 101);
        const RankSetting setting = draw_setting(make_mesh(meshes[m]), boundaries, seed);
        const std::string problem = run_on_ranks(row, setting, whole, boundaries);
        BOOST_CHECK_MESSAGE(problem.empty(), row.name << " on " << describe(setting) << ": " << problem);
        ++tried;
        drawn += problem.empty() ? 1 : 0;
      }
    }
  }
  BOOST_TEST_MESSAGE("placements tried: " << tried << ", equal: " << drawn);
  if (only == nullptr) BOOST_CHECK_GE(tried, 920);
}
