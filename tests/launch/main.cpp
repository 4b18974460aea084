// Test program of launch/.
#define BOOST_TEST_MODULE launch
#include <boost/test/unit_test.hpp>
