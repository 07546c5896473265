#include "storage/api/http_server.h"

#include <arpa/inet.h>
#include <microhttpd.h>

#include <algorithm>
#include <cstring>

#include "proto/base/this_thread.h"

namespace sekisho::api {
namespace {

constexpr size_t kStackBytes = size_t{1} << 20;
constexpr size_t kStreamBlock = 64 * 1024;

struct Stream {
  HttpResponse response;
  std::string chunk;
  size_t at = 0;
  bool over = false;
};

ssize_t ReadStream(void* cls, uint64_t, char* buffer, size_t size) {
  auto* s = static_cast<Stream*>(cls);
  while (s->at == s->chunk.size()) {
    if (s->over) return MHD_CONTENT_READER_END_OF_STREAM;
    s->chunk.clear();
    s->at = 0;
    s->over = !s->response.stream(&s->chunk);
  }
  const size_t n = std::min(size, s->chunk.size() - s->at);
  std::memcpy(buffer, s->chunk.data() + s->at, n);
  s->at += n;
  return static_cast<ssize_t>(n);
}

void EndStream(void* cls) {
  const std::unique_ptr<Stream> s(static_cast<Stream*>(cls));
  if (s->response.done) s->response.done();
}

std::string HeaderOf(MHD_Connection* connection, const char* name) {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? "" : value;
}

MHD_Result TakeParameter(void* cls, enum MHD_ValueKind, const char* key, const char* value) {
  auto* request = static_cast<HttpRequest*>(cls);
  if (request->parameters.size() > kMaxParameters) return MHD_NO;
  request->parameters.emplace_back(key, value == nullptr ? "" : value);
  return MHD_YES;
}

MHD_Result Queue(MHD_Connection* connection, HttpResponse response) {
  const auto status = static_cast<unsigned>(response.status);
  const std::string type = response.content_type;
  const auto headers = response.headers;
  MHD_Response* r = nullptr;
  if (response.stream) {
    auto stream = std::make_unique<Stream>();
    stream->response = std::move(response);
    r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, kStreamBlock, &ReadStream, stream.get(),
                                          &EndStream);
    if (r != nullptr) stream.release();
  } else {
    r = MHD_create_response_from_buffer(response.body.size(), response.body.data(), MHD_RESPMEM_MUST_COPY);
  }
  if (r == nullptr) return MHD_NO;
  if (!type.empty() && status != 304) MHD_add_response_header(r, "Content-Type", type.c_str());
  MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : headers) MHD_add_response_header(r, name.c_str(), value.c_str());
  const MHD_Result result = MHD_queue_response(connection, status, r);
  MHD_destroy_response(r);
  return result;
}

}  // namespace

bool IsLoopback(const IpAddress& address) {
  static constexpr uint8_t kV6[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return address.is_v4() ? address.bytes()[0] == 127
                         : std::equal(std::begin(kV6), std::end(kV6), address.bytes().begin());
}

class HttpServer::Impl {
 public:
  explicit Impl(Handler handler) : handler_(std::move(handler)) {}
  ~Impl() {
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }

  bool Start(const HttpOptions& o, std::string* error) {
    sockaddr_storage address{};
    o.listen.ToSockaddr(&address);
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
    if (address.ss_family == AF_INET6) flags |= MHD_USE_IPv6;
    std::vector<MHD_OptionItem> items = {
        {MHD_OPTION_SOCK_ADDR, 0, &address},
        {MHD_OPTION_CONNECTION_LIMIT, static_cast<intptr_t>(o.connections), nullptr},
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, static_cast<intptr_t>(o.connections_of_address), nullptr},
        {MHD_OPTION_CONNECTION_TIMEOUT, static_cast<intptr_t>(o.idle_seconds), nullptr},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, static_cast<intptr_t>(kHeadBytes), nullptr},
        {MHD_OPTION_THREAD_STACK_SIZE, static_cast<intptr_t>(kStackBytes), nullptr}};
    if (!o.tls_certificate.empty()) {
      flags |= MHD_USE_TLS;
      certificate_ = o.tls_certificate;
      key_ = o.tls_key;
      items.push_back({MHD_OPTION_HTTPS_MEM_CERT, 0, certificate_.data()});
      items.push_back({MHD_OPTION_HTTPS_MEM_KEY, 0, key_.data()});
      items.push_back({MHD_OPTION_HTTPS_PRIORITIES, 0, priorities_.data()});
    }
    items.push_back({MHD_OPTION_END, 0, nullptr});
    errno = 0;
    daemon_ = MHD_start_daemon(flags, 0, nullptr, nullptr, &Impl::Take, this, MHD_OPTION_ARRAY, items.data(),
                               MHD_OPTION_END);
    if (daemon_ != nullptr) return true;
    *error = "cannot listen on " + o.listen.ToString() + ": " +
             (errno != 0 ? std::strerror(errno) : "the certificate, its key or the address is refused");
    return false;
  }

  uint16_t Port() const {
    const MHD_DaemonInfo* info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT);
    return info == nullptr ? 0 : info->port;
  }

 private:
  static MHD_Result Take(void* cls, MHD_Connection* connection, const char* url, const char* method,
                         const char*, const char*, size_t* body_size, void** state) {
    static char seen;
    if (*state == nullptr) {
      *state = &seen;
      const std::string_view m = method;
      if (m != "GET" && m != "HEAD") {
        return Queue(connection, {.status = 405,
                                  .headers = {{"Allow", "GET, HEAD"}},
                                  .body = "{\"error\":\"only GET and HEAD are understood\"}\n"});
      }
      const std::string size = HeaderOf(connection, "Content-Length");
      if ((!size.empty() && size != "0") || !HeaderOf(connection, "Transfer-Encoding").empty()) {
        return Queue(connection, {.status = 413, .body = "{\"error\":\"a request has no body here\"}\n"});
      }
      return MHD_YES;
    }
    if (*body_size != 0) return MHD_NO;
    return static_cast<Impl*>(cls)->Answer(connection, url);
  }

  MHD_Result Answer(MHD_Connection* connection, const char* url) {
    StepBack(kBackground);
    HttpRequest request;
    request.path = url;
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, &TakeParameter, &request);
    request.authorization = HeaderOf(connection, "Authorization");
    request.if_none_match = HeaderOf(connection, "If-None-Match");
    request.accept = HeaderOf(connection, "Accept");
    request.purpose = HeaderOf(connection, "Sekisho-Purpose");
    const MHD_ConnectionInfo* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info != nullptr && info->client_addr != nullptr)
      request.peer = Endpoint::FromSockaddr(info->client_addr).address;
    return Queue(connection, handler_(request));
  }

  const Handler handler_;
  std::string certificate_;
  std::string key_;
  std::string priorities_ = "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
  MHD_Daemon* daemon_ = nullptr;
};

std::unique_ptr<HttpServer> HttpServer::Start(const HttpOptions& options, Handler handler,
                                              std::string* error) {
  if (options.tls_certificate.empty() && !IsLoopback(options.listen.address)) {
    *error = options.listen.ToString() + " is not a loopback address: TLS is needed there";
    return nullptr;
  }
  std::unique_ptr<HttpServer> server(new HttpServer);
  server->impl_ = std::make_unique<Impl>(std::move(handler));
  if (!server->impl_->Start(options, error)) return nullptr;
  server->port_ = server->impl_->Port();
  return server;
}

HttpServer::~HttpServer() = default;

}  // namespace sekisho::api
