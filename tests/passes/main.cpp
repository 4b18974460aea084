// Test program of the passes.
#define BOOST_TEST_MODULE passes
#include <boost/test/unit_test.hpp>
