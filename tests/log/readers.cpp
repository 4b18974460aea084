// Logs of all kinds as series: what is read, what is skipped and said, and that pieces give the same.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "base/files.hpp"
#include "log/event_reader.hpp"
#include "log/log_file.hpp"
#include "log/log_reader.hpp"
#include "log/run_record.hpp"

using namespace lbann::log;

namespace {

const MetricSeries& series(const MetricLog& log, std::string_view mode, std::string_view metric,
                           int instance = 0, bool per_step = false) {
  for (const MetricSeries& s : log.series)
    if (s.mode == mode && s.metric == metric && s.instance == instance && s.per_step == per_step) return s;
  BOOST_FAIL("no series " << mode << " " << metric);
  throw 0;
}

// The log read in pieces of random sizes.
MetricLog read_in_pieces(std::string_view text, LogKind kind, std::mt19937& random) {
  MetricLog log;
  const auto reader = make_reader(kind, log);
  std::string pending;
  while (!text.empty()) {
    const std::size_t n = std::min<std::size_t>(text.size(), random() % 70);
    pending += text.substr(0, n);
    text.remove_prefix(n);
    pending.erase(0, reader->read(pending, text.empty()));
  }
  log.settle();
  return log;
}

void check_same(const MetricLog& a, const MetricLog& b) {
  BOOST_REQUIRE_EQUAL(a.series.size(), b.series.size());
  BOOST_TEST(a.num_skipped == b.num_skipped);
  for (std::size_t i = 0; i < a.series.size(); ++i) {
    BOOST_TEST(a.series[i].metric == b.series[i].metric);
    BOOST_REQUIRE_EQUAL(a.series[i].points.size(), b.series[i].points.size());
    for (std::size_t k = 0; k < a.series[i].points.size(); ++k) {
      const MetricPoint& p = a.series[i].points[k];
      const MetricPoint& q = b.series[i].points[k];
      const bool same = p.epoch == q.epoch && p.step == q.step &&
                        (p.value == q.value || (std::isnan(p.value) && std::isnan(q.value)));
      BOOST_REQUIRE(same);
    }
  }
}

const char* events_path() { return LBANN_SOURCE_DIR "/tests/log/golden/events.tfevents"; }

}  // namespace

BOOST_AUTO_TEST_SUITE(readers)

BOOST_AUTO_TEST_CASE(crc32c_of_rfc_3720) {
  // RFC 3720, B.4.
  std::string rising;
  std::string falling;
  for (int i = 0; i < 32; ++i) {
    rising += static_cast<char>(i);
    falling += static_cast<char>(31 - i);
  }
  BOOST_TEST(crc32c(std::string(32, '\0')) == 0x8a9136aaU);
  BOOST_TEST(crc32c(std::string(32, '\xff')) == 0x62a8ab43U);
  BOOST_TEST(crc32c(rising) == 0x46dd794eU);
  BOOST_TEST(crc32c(falling) == 0x113fdb5cU);
  BOOST_TEST(crc32c("123456789") == 0xe3069283U);
}

BOOST_AUTO_TEST_CASE(event_files_that_another_program_wrote) {
  const MetricLog log = load_log(events_path());
  BOOST_TEST(log.num_skipped == 0);
  std::ifstream file(LBANN_SOURCE_DIR "/tests/log/golden/events.tsv");
  std::string line;
  std::map<std::string, std::size_t> at;
  int rows = 0;
  while (std::getline(file, line)) {
    std::istringstream cells(line);
    std::string tag;
    std::string value;
    std::string wall;
    std::int64_t step = 0;
    std::getline(cells, tag, '\t');
    cells >> step >> value >> wall;
    const auto [mode, metric] = split_metric_name(tag);
    const MetricPoint& p = series(log, mode, metric).points.at(at[tag]++);
    BOOST_TEST(p.step == step);
    BOOST_TEST(p.time == std::stod(wall) - 1700000000.5);
    const double expected = std::stod(value);
    BOOST_TEST((p.value == expected || (std::isnan(p.value) && std::isnan(expected))));
    ++rows;
  }
  BOOST_TEST(rows == 15);
  BOOST_TEST(log.series.size() == 2U);
}

BOOST_AUTO_TEST_CASE(damaged_event_files) {
  const std::string whole = lbann::base::read_file(events_path());
  // Cut anywhere: fewer points, a word about the rest, no failure.
  for (std::size_t n = 0; n < whole.size(); n += 37) {
    const MetricLog log = read_log(std::string_view(whole).substr(0, n), LogKind::events);
    BOOST_TEST(log.num_skipped <= 1);
  }
  // A flipped bit is found wherever it is.
  const MetricLog good = read_log(whole, LogKind::events);
  for (std::size_t n = 0; n < whole.size(); n += 11) {
    std::string bad = whole;
    bad[n] = static_cast<char>(bad[n] ^ 4);
    const MetricLog log = read_log(bad, LogKind::events);
    BOOST_TEST_CONTEXT(n) BOOST_TEST(log.num_skipped > 0);
  }
  BOOST_TEST(good.num_skipped == 0);
}

BOOST_AUTO_TEST_CASE(tables_of_others) {
  const MetricLog keras =
      read_log("epoch,accuracy,loss,val_accuracy,val_loss\n0,0.5,1.5,0.25,2e0\n1,0.75,NaN,0.5,inf\n");
  BOOST_TEST(series(keras, "training", "accuracy").points.at(1).value == 0.75);
  BOOST_TEST(std::isnan(series(keras, "training", "loss").points.at(1).value));
  BOOST_TEST(series(keras, "validation", "loss").points.at(1).value == HUGE_VAL);
  const MetricLog lightning =
      read_log("epoch,step,train_loss,val_loss\n0,49,0.5,\n0,99,,0.75\n1,149,0.25,\n");
  BOOST_TEST(series(lightning, "training", "loss").points.size() == 2U);
  BOOST_TEST(series(lightning, "training", "loss").points.at(1).step == 149);
  BOOST_TEST(series(lightning, "validation", "loss").points.at(0).step == 99);
  const MetricLog units = read_log("epoch;step time [ms];\"top, 1 (%)\"\n0;12.5;60\n1;12;61\n");
  BOOST_TEST(series(units, "training", "step time").unit == "ms");
  BOOST_TEST(series(units, "training", "top, 1").unit == "%");
  BOOST_TEST(series(units, "training", "top, 1").points.at(1).value == 61);
  const MetricLog percent = read_log("Step\tval/acc\r\n10\t97.5%\r\n");
  BOOST_TEST(series(percent, "validation", "acc").unit == "%");
  const MetricLog torn = read_log("epoch,loss\n0,1\n1,2,3\n2\n3,x\n4,5");
  BOOST_TEST(series(torn, "training", "loss").points.size() == 2U);
  BOOST_TEST(torn.num_skipped == 3);
  BOOST_TEST(torn.notes.at(0) == "line 3: 3 of 2 cells");
}

BOOST_AUTO_TEST_CASE(our_own_table_holds_several_runs) {
  const MetricLog log = read_log(
      "run,trainer,mode,metric,unit,epoch,step,time,value\n"
      "a,0,training,accuracy,%,0,211,3.5,87.5\n"
      "\"b, c\",all,validation average,accuracy,%,0,211,,nan\n");
  BOOST_REQUIRE_EQUAL(log.series.size(), 2U);
  BOOST_TEST(log.series[1].run == "b, c");
  BOOST_TEST(log.series[1].instance == -1);
  BOOST_TEST(log.series[1].mode == "validation");
  BOOST_TEST(log.series[1].statistic == "average");
  BOOST_TEST(log.series[0].points.at(0).time == 3.5);
}

BOOST_AUTO_TEST_CASE(objects_of_others) {
  const MetricLog log = read_log(
      "{\"epoch\": 0, \"loss\": 1.5, \"val_loss\": \"NaN\", \"note\": \"x\", \"lr\": 0.1}\n"
      "{\"epoch\": 1, \"loss\": 1.25, \"val_loss\": 2}\n");
  BOOST_TEST(series(log, "training", "loss").points.at(1).value == 1.25);
  BOOST_TEST(std::isnan(series(log, "validation", "loss").points.at(0).value));
  BOOST_TEST(series(log, "training", "learning rate").points.size() == 1U);
  const MetricLog lists =
      read_log("{\"train_loss\": [3, 2, 1], \"val_loss\": [4, 5, 6], \"name\": [\"a\"]}\n");
  BOOST_TEST(series(lists, "training", "loss").points.at(2).epoch == 2);
  BOOST_TEST(series(lists, "validation", "loss").points.at(2).value == 6);
  BOOST_TEST(lists.series.size() == 2U);
}

BOOST_AUTO_TEST_CASE(records_resume_where_they_were) {
  const auto record = [](int attempt, int step, double value) {
    RunRecord r;
    r.run = "r";
    r.attempt = attempt;
    r.kind = "step";
    r.step = step;
    r.mode = "training";
    r.wall = 100.0 * attempt + step;
    r.metrics = {{"loss", value}};
    return render_record(r);
  };
  const MetricLog log = read_log(record(1, 1, 9) + record(1, 2, 8) + record(1, 3, 7) + record(1, 4, 6) +
                                 record(2, 2, 5) + record(2, 3, 4));
  const auto& points = series(log, "training", "loss", 0, true).points;
  // Steps 3 and 4 of the first attempt were lost; 4 has not been done again yet.
  BOOST_REQUIRE_EQUAL(points.size(), 3U);
  BOOST_TEST(points[1].value == 5);
  BOOST_TEST(points[2].value == 4);
  BOOST_TEST(points[2].time == 4);  // 3 s of the first attempt, 1 s of the second
  BOOST_TEST(log.restarts.size() == 1U);
  BOOST_TEST(log.restarts[0].step == 2);
}

BOOST_AUTO_TEST_CASE(console_text_resumes_too) {
  const MetricLog log = read_log(
      "STARTING lbann with this command line:\n"
      "m (instance 0) training epoch 0 loss : 5\nm (instance 0) training epoch 1 loss : 4\n"
      "m (instance 0) training epoch 2 loss : 3\nm (instance 0) training epoch 3 lo"
      "\n\nSTARTING lbann with this command line:\n"
      "m (instance 0) training epoch 1 loss : 3.5\n");
  const auto& points = series(log, "training", "loss").points;
  BOOST_REQUIRE_EQUAL(points.size(), 2U);
  BOOST_TEST(points[1].value == 3.5);
  BOOST_TEST(log.restarts.size() == 1U);
  BOOST_TEST(log.num_skipped == 1);
}

BOOST_AUTO_TEST_CASE(the_fast_scan_reads_what_the_strict_one_reads) {
  std::mt19937_64 random(7);
  std::string text;
  std::vector<double> values;
  for (int i = 0; i < 100000; ++i) {
    std::uint64_t bits = random();
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    values.push_back(value);
    RunRecord r;
    r.run = "r";
    r.step = i;
    r.mode = "training";
    r.metrics = {{"loss", value}};
    text += render_record(r);
  }
  const MetricLog log = read_log(text);
  const RunLog strict = parse_records(text);
  const auto& points = series(log, "training", "loss").points;
  BOOST_REQUIRE_EQUAL(points.size(), values.size());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double a = points[i].value;
    const double b = strict.records[i].metrics[0].second;
    wrong += !(a == values[i] || (std::isnan(a) && std::isnan(values[i]))) ||
             !(a == b || (std::isnan(a) && std::isnan(b)));
  }
  BOOST_TEST(wrong == 0U);
  // What the standard forbids is no record for either.
  for (const char* number : {"01", "1.", ".5", "+1", "1e", "nan", "0x1", "1 2", "--1"}) {
    const std::string line =
        "{\"schema\":\"lbann-log/1\",\"run\":\"r\",\"attempt\":1,\"kind\":\"epoch\",\"step\":1,\"epoch\":0,"
        "\"mode\":\"training\",\"wall\":1,\"metrics\":{\"loss\":" +
        std::string(number) + "}}\n";
    BOOST_TEST_CONTEXT(number) {
      const MetricLog bad = read_log(line, LogKind::records);
      BOOST_TEST(bad.series.empty());
      BOOST_TEST(bad.num_skipped == 1);
      BOOST_TEST(parse_records(line).records.empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(kinds_by_content) {
  BOOST_TEST((sniff("{\"schema\"", false) == LogKind::records));
  BOOST_TEST((!sniff("epoch,loss\n", false)));
  BOOST_TEST((sniff("epoch,loss\n0,1\n", false) == LogKind::csv));
  BOOST_TEST((sniff("hello, world\nthis is, text\n", true) == LogKind::console));
  BOOST_TEST((sniff(lbann::base::read_file(events_path()), false) == LogKind::events));
  BOOST_TEST((sniff("", true) == LogKind::console));
  // Programs print objects before they come to the point.
  const MetricLog mixed = read_log("{\"config\": \"a\"}\nm (instance 0) test loss : 1\n");
  BOOST_TEST(mixed.series.size() == 1U);
}

BOOST_AUTO_TEST_CASE(pieces_give_the_same) {
  std::mt19937 random(3);
  std::string console;
  std::string csv = "epoch,loss,val_loss\n";
  for (int e = 0; e < 200; ++e) {
    const std::string n = std::to_string(e);
    console += "m (instance " + std::to_string(e % 3) + ") training epoch " + n + " loss : 0." + n + "\r\n";
    console += "bar\rm (instance 0) validation loss : 1." + n + "s\n";
    csv += n + ",0." + n + (e % 7 ? ",1\n" : "\n");
  }
  const std::string events = lbann::base::read_file(events_path());
  for (int i = 0; i < 20; ++i) {
    check_same(read_log(console, LogKind::console), read_in_pieces(console, LogKind::console, random));
    check_same(read_log(csv, LogKind::csv), read_in_pieces(csv, LogKind::csv, random));
    check_same(read_log(events, LogKind::events), read_in_pieces(events, LogKind::events, random));
  }
}

BOOST_AUTO_TEST_CASE(hostile_text) {
  std::mt19937 random(5);
  const std::string seeds[] = {
      "{\"schema\":\"lbann-log/"
      "1\",\"run\":\"r\",\"attempt\":1,\"kind\":\"epoch\",\"step\":1,\"epoch\":0,\"mode\":"
      "\"training\",\"wall\":1,\"metrics\":{\"loss\":1}}\n",
      "Model 0 training epoch 0 loss : 2%\n", "epoch,loss\n0,1\n", lbann::base::read_file(events_path())};
  for (int i = 0; i < 4000; ++i) {
    std::string text = seeds[i % 4] + seeds[i % 4];
    for (int k = 0; k < 4; ++k) text[random() % text.size()] = static_cast<char>(random());
    for (const LogKind kind : {LogKind::records, LogKind::console, LogKind::csv, LogKind::events})
      read_log(text, kind);
    read_log(text);
  }
  read_log(std::string(1 << 22, 'x'));
  read_log(std::string(1 << 20, '\0'));
  read_log(std::string(1 << 20, ','), LogKind::csv);
}

BOOST_AUTO_TEST_SUITE_END()
