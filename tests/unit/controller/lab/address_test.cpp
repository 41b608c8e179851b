#include "controller/lab/address.h"

#include "tests/support/must.h"

namespace relab::lab {

TEST_CASE("addresses: four numbers are one, anything else is none", "[controller][lab]") {
  CHECK(parse_ipv4("10.42.0.255")->text() == "10.42.0.255");
  CHECK(parse_ipv4("0.0.0.0")->bits == 0);
  CHECK(parse_ipv4("255.255.255.255")->bits == 0xFFFFFFFF);
  const auto* text = GENERATE("", "10", "10.42.0", "10.42.0.256", "10.42.0.1.2", "10.42..1",
                              "10.42.0.01", " 10.42.0.1", "10.42.0.1 ", "10.42.0.-1", "a.b.c.d");
  CHECK_FALSE(parse_ipv4(text));
}

TEST_CASE("subnets: the base has the bits behind the prefix cleared", "[controller][lab]") {
  CHECK(parse_subnet("10.42.10.7/24")->text() == "10.42.10.0/24");
  CHECK(parse_subnet("10.42.10.7/32")->text() == "10.42.10.7/32");
  CHECK(parse_subnet("10.42.10.7/0")->text() == "0.0.0.0/0");
  CHECK(parse_subnet("10.42.10.0/24")->broadcast().text() == "10.42.10.255");
  const auto* text = GENERATE("10.42.10.0", "10.42.10.0/", "10.42.10.0/33", "10.42.10.0/-1", "/24");
  CHECK_FALSE(parse_subnet(text));
}

TEST_CASE("subnets: containing and overlapping follow the prefix", "[controller][lab]") {
  const auto wide = *parse_subnet("10.42.0.0/16");
  const auto narrow = *parse_subnet("10.42.10.0/24");
  const auto beside = *parse_subnet("10.42.11.0/24");

  CHECK(wide.contains(narrow));
  CHECK_FALSE(narrow.contains(wide));
  CHECK(narrow.overlaps(wide));
  CHECK_FALSE(narrow.overlaps(beside));
  CHECK(narrow.contains(*parse_ipv4("10.42.10.255")));
  CHECK_FALSE(narrow.contains(*parse_ipv4("10.42.11.0")));
}

}  // namespace relab::lab
