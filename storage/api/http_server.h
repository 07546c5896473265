// HttpServer: HTTP/1.1 with or without TLS for a small number of careful clients; libmicrohttpd's only door.
//
// Each connection has a thread, so a handler may take its time and a streamed answer is made as fast as it is
// read.
//
// Threads: the handler and the streams are called on connections' threads; the destructor ends them all and
// waits. Limits: HttpOptions; only GET and HEAD, request bodies are refused, request heads are bounded by
// kHeadBytes. Standards: RFC 9110, RFC 9112.
#ifndef SEKISHO_STORAGE_API_HTTP_SERVER_H_
#define SEKISHO_STORAGE_API_HTTP_SERVER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proto/base/ip_address.h"

namespace sekisho::api {

inline constexpr size_t kHeadBytes = 32 * 1024;
inline constexpr size_t kMaxParameters = 64;

struct HttpRequest {
  std::string path;
  std::vector<std::pair<std::string, std::string>>
      parameters;  // of the query string, decoded, in their order
  std::string authorization = {};
  std::string if_none_match = {};
  std::string accept = {};
  std::string purpose = {};  // Sekisho-Purpose
  IpAddress peer = {};
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  // Not null: the body is what the calls put into *chunk, until one returns false; then `done` is called,
  // also when the client went away before.
  std::function<bool(std::string* chunk)> stream = {};
  std::function<void()> done = {};
};

struct HttpOptions {
  Endpoint listen;
  unsigned connections = 64;
  unsigned connections_of_address = 48;
  unsigned idle_seconds = 20;
  std::string tls_certificate = {};  // PEM; empty: no TLS
  std::string tls_key = {};          // PEM
};

class HttpServer {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;
  // Null and *error when it cannot listen. Plain HTTP is refused anywhere but on loopback.
  static std::unique_ptr<HttpServer> Start(const HttpOptions& options, Handler handler, std::string* error);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const { return port_; }

  class Impl;

 private:
  HttpServer() = default;
  std::unique_ptr<Impl> impl_;
  uint16_t port_ = 0;
};

bool IsLoopback(const IpAddress& address);

}  // namespace sekisho::api

#endif  // SEKISHO_STORAGE_API_HTTP_SERVER_H_
