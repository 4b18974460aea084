// Test program of tools/common: option tables, exit codes of run_tool.
#define BOOST_TEST_MODULE common
#include <boost/test/unit_test.hpp>
