// Test program of plot/.
#define BOOST_TEST_MODULE plot
#include <boost/test/unit_test.hpp>
