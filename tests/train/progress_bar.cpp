// Progress bar with a clock of the test's own: when it draws, what it draws, that it goes away.
#include "train/progress_bar.hpp"

#include <boost/test/unit_test.hpp>
#include <limits>

using namespace lbann::train;

namespace {

struct Screen {
  double clock = 100;
  int columns = 80;
  std::vector<std::string> drawn{};
  ProgressBar bar{ProgressBar::Settings{false, [this] { return columns; }, [this] { return clock; },
                                        [this](const std::string& text) { drawn.push_back(text); }}};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(progress_bar)

BOOST_AUTO_TEST_CASE(text_in_ascii) {
  // 97 of 200 steps in 9.7 s: 10 steps/s, 103 left: 10.3 s, rounded up. Text: 12 + 49 columns, frame 2, so
  // the bar could have 17, in steps of 5 that is 15, of which floor(0.485 * 15) = 7 are done.
  const Progress p{"epoch 3/10", 97, 200, 9.7, 0.28714, true};
  BOOST_TEST(progress_text(p, 80, false) ==
             "epoch 3/10  [=======>       ]   48%  97/200  10 steps/s  ETA 0:11  loss 0.2871");
  BOOST_TEST(progress_text(p, 80, false).size() <= 80u);
}

BOOST_AUTO_TEST_CASE(text_in_blocks) {
  // Half of a bar of 30 columns: 15 full blocks.
  const Progress p{"epoch 1/1", 1, 2, 0, 0, false};
  std::string half;
  for (int i = 0; i < 15; ++i) half += "█";
  BOOST_TEST(progress_text(p, 100, true) == "epoch 1/1  ▕" + half + std::string(15, ' ') + "▏   50%  1/2");
}

BOOST_AUTO_TEST_CASE(style_of_the_callback) {
  Progress p{"epoch 3/10", 97, 200, 9.7, 0.28714, true};
  p.rate = 5;  // of the last steps
  ProgressStyle style;
  style.bar_width = 10;
  style.scientific = true;
  // 0.485 * 10 = 4 done; 103 left at 5 steps/s: 20.6 s.
  BOOST_TEST(progress_text(p, 100, false, style) ==
             "epoch 3/10  [====>     ]   48%  97/200  5.0 steps/s  ETA 0:21  loss 2.8714e-01");
}

BOOST_AUTO_TEST_CASE(narrow_terminals_lose_the_bar_then_the_end) {
  const Progress p{"epoch 3/10", 97, 200, 9.7, 0.28714, true};
  BOOST_TEST(progress_text(p, 60, false).find('[') == std::string::npos);
  for (int columns = 0; columns < 120; ++columns)
    BOOST_TEST(progress_text(p, columns, false).size() <= static_cast<std::size_t>(columns));
}

BOOST_AUTO_TEST_CASE(strange_numbers) {
  const double not_a_number = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(progress_text({"t", 3, 0, 1, not_a_number, true}, 80, false).find("loss nan") !=
             std::string::npos);
  BOOST_TEST(progress_text({"t", 7, 5, 1, 0, false}, 80, false).find("100%") != std::string::npos);
  BOOST_TEST(duration_text(not_a_number) == "?");
  BOOST_TEST(duration_text(-1) == "?");
  BOOST_TEST(duration_text(0) == "0:00");
  BOOST_TEST(duration_text(59.2) == "1:00");
  BOOST_TEST(duration_text(3723) == "1:02:03");
}

BOOST_AUTO_TEST_CASE(slow_steps_are_shown_in_seconds) {
  BOOST_TEST(progress_text({"t", 2, 4, 5, 0, false}, 80, false).find("2.5 s/step  ETA 0:05") !=
             std::string::npos);
}

// 1000 steps of 1 ms: one second, so the first step draws and then at most ten more.
BOOST_AUTO_TEST_CASE(at_most_ten_redraws_a_second) {
  Screen s;
  s.bar.begin("epoch 1/1", 1000);
  for (int i = 0; i < 1000; ++i) {
    s.clock += 0.001;
    s.bar.step(1.0);
  }
  BOOST_TEST(s.drawn.size() >= 9u);
  BOOST_TEST(s.drawn.size() <= 11u);
}

BOOST_AUTO_TEST_CASE(drawn_in_place_and_cleared) {
  Screen s;
  BOOST_TEST(s.bar.clear_text() == "");
  BOOST_TEST(s.bar.redraw_text() == "");
  s.bar.begin("validation", 4);
  BOOST_TEST(s.drawn.empty());
  s.clock += 1;
  s.bar.step();
  BOOST_REQUIRE(s.drawn.size() == 1);
  BOOST_TEST(s.drawn[0].substr(0, 11) == "\rvalidation");
  BOOST_TEST(s.drawn[0].substr(s.drawn[0].size() - 3) == "\033[K");
  BOOST_TEST(s.bar.clear_text() == "\r\033[K");
  BOOST_TEST(s.bar.redraw_text() == s.drawn[0]);
  s.bar.end();
  BOOST_TEST(s.drawn.back() == "\r\033[K");
  BOOST_TEST(s.bar.redraw_text() == "");
  s.bar.step();
  s.bar.end();
  BOOST_TEST(s.drawn.size() == 2);
}

BOOST_AUTO_TEST_CASE(lines_stay_and_rates_are_those_of_the_last_steps) {
  double clock = 100;
  std::vector<std::string> drawn;
  ProgressBar::Settings settings{false, [] { return 100; }, [&] { return clock; },
                                 [&](const std::string& text) { drawn.push_back(text); }};
  settings.style.newline_interval = 2;
  settings.style.rate_steps = 2;
  ProgressBar bar{settings};
  bar.begin("t", 6);
  for (const double seconds : {10.0, 10.0, 0.5, 0.5}) {
    clock += seconds;
    bar.step();
  }
  BOOST_REQUIRE(drawn.size() == 4u);
  for (int i = 0; i < 4; ++i) BOOST_TEST((drawn[static_cast<std::size_t>(i)].back() == '\n') == (i % 2 == 1));
  BOOST_TEST(drawn[3].find("2.0 steps/s") != std::string::npos, drawn[3]);  // two steps in one second
  const auto lines = drawn.size();
  bar.end();
  BOOST_TEST(drawn.size() == lines);  // the last line stays
}

BOOST_AUTO_TEST_SUITE_END()
