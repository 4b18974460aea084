// The logger on pipes: what goes where, in which order, and what a failing stdout does.
#include "base/log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "base/diagnostic.hpp"
#include "base/terminal.hpp"

using namespace lbann::base;

namespace {

struct Pipe {
  int read_end = -1;
  int write_end = -1;
  Pipe() {
    int ends[2];
    BOOST_REQUIRE(::pipe(ends) == 0);
    read_end = ends[0];
    write_end = ends[1];
  }
  ~Pipe() {
    ::close(read_end);
    ::close(write_end);
  }
  std::string taken() {
    ::fcntl(read_end, F_SETFL, O_NONBLOCK);
    char block[65536];
    const ssize_t n = ::read(read_end, block, sizeof block);
    return n > 0 ? std::string(block, static_cast<std::size_t>(n)) : std::string();
  }
};

struct Bar : LogOverlay {
  std::string clear_text() override { return "<clear>"; }
  std::string redraw_text() override { return "<bar>"; }
};

struct Fixture {
  Pipe out, err;
  Logger log{out.write_end, err.write_end};
};

struct Variable {
  std::string name;
  std::string old;
  bool was_set;
  Variable(const char* n, const char* value) : name(n), was_set(std::getenv(n) != nullptr) {
    if (was_set) old = std::getenv(n);
    if (value)
      ::setenv(n, value, 1);
    else
      ::unsetenv(n);
  }
  ~Variable() {
    if (was_set)
      ::setenv(name.c_str(), old.c_str(), 1);
    else
      ::unsetenv(name.c_str());
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(log_test, Fixture)

BOOST_AUTO_TEST_CASE(levels_prefixes_and_count) {
  log.error("one");
  log.warning("two");
  log.info("three");
  log.debug("four");
  log.info("");
  BOOST_TEST(err.taken() == "error: one\nwarning: two\nthree\n\n");
  log.set_level(LogLevel::error);
  log.warning("five");
  log.error("six\n");
  BOOST_TEST(err.taken() == "error: six\n");
  log.count_errors(3);
  BOOST_TEST(log.num_errors() == 5);
  BOOST_TEST(out.taken() == "");
}

BOOST_AUTO_TEST_CASE(colour_is_for_the_severity_alone) {
  log.set_color(true);
  log.error("x");
  log.info("y");
  BOOST_TEST(err.taken() == "\033[1;31merror:\033[0m x\ny\n");
}

BOOST_AUTO_TEST_CASE(quiet_drops_log_lines_but_not_what_was_asked_for) {
  log.data("line\n");
  log.set_quiet(true);
  log.data("silent\n");
  log.print("report\n");
  BOOST_TEST(out.taken() == "line\nreport\n");
}

BOOST_AUTO_TEST_CASE(an_overlay_makes_room) {
  Bar bar;
  log.set_overlay(&bar);
  log.info("line");
  BOOST_TEST(err.taken() == "<clear>line\n<bar>");
  log.data("data\n");
  BOOST_TEST(err.taken() == "<clear><bar>");
  BOOST_TEST(out.taken() == "data\n");
  log.draw("<again>");
  BOOST_TEST(err.taken() == "<again>");
  log.set_overlay(nullptr);
  log.info("plain");
  BOOST_TEST(err.taken() == "plain\n");
}

BOOST_AUTO_TEST_CASE(a_full_disk_ends_the_run) {
  const int full = ::open("/dev/full", O_WRONLY);
  Logger broken(full, full);
  BOOST_CHECK_EXCEPTION(broken.print("x"), Error,
                        [](const Error& e) { return e.code() == ExitCode::storage; });
  broken.error("nobody hears this");
  ::close(full);
}

BOOST_AUTO_TEST_CASE(a_reader_that_went_away_ends_the_run) {
  const auto old = std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  ::close(ends[0]);
  Logger broken(ends[1], err.write_end);
  BOOST_CHECK_THROW(broken.print("x"), OutputClosed);
  ::close(ends[1]);
  std::signal(SIGPIPE, old);
}

BOOST_AUTO_TEST_CASE(a_full_non_blocking_pipe_is_waited_for) {
  ::fcntl(out.write_end, F_SETFL, O_NONBLOCK);
  const std::size_t size = 1000000;
  std::size_t received = 0;
  std::thread reader([&] {
    char block[10000];
    while (received < size) {
      const ssize_t n = ::read(out.read_end, block, sizeof block);
      if (n > 0) received += static_cast<std::size_t>(n);
    }
  });
  BOOST_TEST(write_all(out.write_end, std::string(size, 'x')) == 0);
  reader.join();
  BOOST_TEST(received == size);
}

BOOST_AUTO_TEST_CASE(colour_rules) {
  const Variable term("TERM", "xterm"), none("NO_COLOR", nullptr), force("CLICOLOR_FORCE", nullptr);
  BOOST_TEST(!use_color(When::automatic, out.write_end));
  BOOST_TEST(use_color(When::always, out.write_end));
  const Variable forced("CLICOLOR_FORCE", "1");
  BOOST_TEST(use_color(When::automatic, out.write_end));
  BOOST_TEST(!use_color(When::never, out.write_end));
  const Variable refused("NO_COLOR", "1");
  BOOST_TEST(!use_color(When::automatic, out.write_end));
  BOOST_TEST(use_color(When::always, out.write_end));
}

BOOST_AUTO_TEST_CASE(utf8_locales) {
  const Variable all("LC_ALL", nullptr), type("LC_CTYPE", nullptr), lang("LANG", "en_GB.UTF-8");
  BOOST_TEST(locale_is_utf8());
  const Variable c("LC_ALL", "C");
  BOOST_TEST(!locale_is_utf8());
  const Variable lower("LC_ALL", "C.utf8");
  BOOST_TEST(locale_is_utf8());
}

BOOST_AUTO_TEST_SUITE_END()
