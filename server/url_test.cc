// Tests of targets and URLs.
#include "server/url.h"

#include <gtest/gtest.h>

namespace everlearn {
namespace {

TEST(Url, DecodesPercent) {
  EXPECT_EQ(DecodePercent("a%20b%C3%a4+", false), "a bä+");
  EXPECT_EQ(DecodePercent("a+b%2B", true), "a b+");
  for (const char* broken : {"%", "%2", "%zz", "a%", "%00", "% 1"}) EXPECT_FALSE(DecodePercent(broken, false)) << broken;
}

TEST(Url, ParsesTargets) {
  const auto target = ParseTarget("/a%2Fb?x=1&&y=%3D=&z&x=2");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/a/b");
  EXPECT_EQ(target->query, (std::map<std::string, std::string>{{"x", "2"}, {"y", "=="}, {"z", ""}}));
  EXPECT_EQ(ParseTarget("HTTP://host:1/p?q")->path, "/p");
  EXPECT_EQ(ParseTarget("https://host")->path, "/");
  EXPECT_EQ(ParseTarget("http://host?q=/")->path, "/");
  EXPECT_EQ(ParseTarget("http://host?q=/")->query.at("q"), "/");
  EXPECT_EQ(ParseTarget("*")->path, "*");
  for (const char* broken : {"", "a", "?x=1", "/%", "/?%zz", "/?a=%"}) EXPECT_FALSE(ParseTarget(broken)) << broken;
}

TEST(Url, ParsesUrls) {
  const auto url = ParseUrl("http://127.0.0.1:8080");
  ASSERT_TRUE(url);
  EXPECT_FALSE(url->secure);
  EXPECT_EQ(url->host + " " + url->port + " " + url->path, "127.0.0.1 8080 ");
  EXPECT_EQ(url->Authority(), "127.0.0.1:8080");
  const auto secure = ParseUrl("https://[::1]/a/b//");
  ASSERT_TRUE(secure);
  EXPECT_TRUE(secure->secure);
  EXPECT_EQ(secure->host + " " + secure->port + " " + secure->path, "::1 443 /a/b");
  EXPECT_EQ(secure->Authority(), "[::1]");
  for (const char* broken : {"", "http://", "ftp://a", "a:1", "http://a:", "http://a:x", "http://a:70000", "http://u:p@a", "http://a?q",
                             "http://a/#f", "http://[::1", "http://[::1]x", "http://a b", "http://:80"})
    EXPECT_FALSE(ParseUrl(broken)) << broken;
}

}  // namespace
}  // namespace everlearn
