/* An S3 bucket that keeps nothing: it measures what a client costs when the server is free.
 *
 * Bodies are dropped inside the kernel (MSG_TRUNC); only JSON documents are kept, since the archive reads its own
 * manifests back. Checksums are not computed but echoed from the request, so nothing here proves integrity. The
 * conditional put (If-None-Match: *) and listing are real.
 *
 * usage: null_s3 PORT        (127.0.0.1 only; one thread a connection; ends on SIGTERM)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 64 * 1024, ECHO_MAX = 4096, KEY_MAX = 1100, KEPT_MAX = 8 * 1024 * 1024, BUCKETS = 4096 };
static const char ETAG[] = "\"d41d8cd98f00b204e9800998ecf8427e\"";

typedef struct object {
    char key[KEY_MAX], echo[ECHO_MAX]; /* echo: header lines that HEAD gives back */
    long long size;
    char *body;
    struct object *next;
} object;

typedef struct part {
    int number;
    long long size;
    char name[32], value[128]; /* one checksum, spelt as in XML */
    struct part *next;
} part;

typedef struct upload {
    int id;
    char key[KEY_MAX], echo[ECHO_MAX];
    part *parts;
    struct upload *next;
} upload;

typedef struct {
    int fd;
    size_t have; /* bytes in head[] */
    char head[HEAD_MAX + 1];
    char method[8], target[4096], path[KEY_MAX], query[2048], echo[ECHO_MAX];
    long long length, decoded;
    int expects, only_new, json;
    char *body;
} request;

static object *objects[BUCKETS];
static upload *uploads;
static int next_upload = 1;
static long long stored_objects, stored_bytes, requests_seen;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static unsigned slot(const char *key) {
    unsigned h = 5381;
    while (*key) h = h * 33 + (unsigned char)*key++;
    return h % BUCKETS;
}

static object *find(const char *key) {
    object *o = objects[slot(key)];
    while (o && strcmp(o->key, key)) o = o->next;
    return o;
}

static void decode(char *to, size_t room, const char *from, const char *end) {
    size_t n = 0;
    for (; from < end && n + 1 < room; from++) {
        if (*from == '%' && end - from > 2) {
            char two[3] = {from[1], from[2], 0};
            to[n++] = (char)strtol(two, NULL, 16);
            from += 2;
        } else {
            to[n++] = *from == '+' ? ' ' : *from;
        }
    }
    to[n] = 0;
}

static int parameter(const char *query, const char *name, char *to, size_t room) {
    size_t length = strlen(name);
    for (const char *p = query; p && *p; p = strchr(p, '&') ? strchr(p, '&') + 1 : NULL) {
        const char *end = strchr(p, '&') ? strchr(p, '&') : p + strlen(p);
        if (!strncmp(p, name, length) && (p[length] == '=' || p + length == end)) {
            decode(to, room, p[length] == '=' ? p + length + 1 : end, end);
            return 1;
        }
    }
    return 0;
}

static int send_all(int fd, const char *data, size_t length) {
    while (length) {
        ssize_t n = send(fd, data, length, MSG_NOSIGNAL);
        if (n <= 0) return -1;
        data += n;
        length -= (size_t)n;
    }
    return 0;
}

static int answer(request *r, const char *status, const char *headers, const char *body, long long length) {
    char date[64], head[ECHO_MAX + 512];
    time_t now = time(NULL);
    struct tm t;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &t));
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 %s\r\nServer: null-s3\r\nx-amz-request-id: 0\r\nDate: %s\r\nContent-Length: %lld\r\n%s\r\n",
                     status, date, length, headers);
    if (send_all(r->fd, head, (size_t)n)) return -1;
    return body && strcmp(r->method, "HEAD") ? send_all(r->fd, body, (size_t)length) : 0;
}

static int xml(request *r, const char *status, const char *headers, const char *body) {
    return answer(r, status, headers, body, (long long)strlen(body));
}

static int error(request *r, const char *status, const char *code) {
    char body[256];
    snprintf(body, sizeof body, "<?xml version=\"1.0\"?><Error><Code>%s</Code><Message></Message></Error>", code);
    return xml(r, status, "Content-Type: application/xml\r\n", body);
}

/* Replaces an object, or refuses where it must be new. The caller holds the lock. */
static int keep(request *r, const char *key, const char *echo, long long size, char *body) {
    object *o = find(key);
    if (o && r->only_new) return 0;
    if (!o) {
        o = calloc(1, sizeof *o);
        snprintf(o->key, sizeof o->key, "%s", key);
        unsigned s = slot(key);
        o->next = objects[s];
        objects[s] = o;
        stored_objects++;
    }
    stored_bytes += size - o->size;
    free(o->body);
    snprintf(o->echo, sizeof o->echo, "%s", echo);
    o->size = size;
    o->body = body;
    return 1;
}

static int put_object(request *r) {
    char headers[ECHO_MAX + 128];
    pthread_mutex_lock(&lock);
    int kept = keep(r, r->path, r->echo, r->decoded, r->body);
    pthread_mutex_unlock(&lock);
    if (!kept) {
        free(r->body);
        return error(r, "412 Precondition Failed", "PreconditionFailed");
    }
    snprintf(headers, sizeof headers, "ETag: %s\r\n%s", ETAG, r->echo);
    return answer(r, "200 OK", headers, NULL, 0);
}

static upload *upload_of(request *r) {
    char id[32];
    upload *u = uploads;
    if (!parameter(r->query, "uploadId", id, sizeof id)) return NULL;
    while (u && u->id != atoi(id)) u = u->next;
    return u;
}

/* Copies the checksum lines, or all the others: an object has the type of its creation and the checksum of its end. */
static void copy_lines(char *to, const char *from, int checksums) {
    size_t n = strlen(to);
    for (const char *end; (end = strstr(from, "\r\n")); from = end + 2)
        if ((strncasecmp(from, "x-amz-checksum-", 15) == 0) == checksums && n + (size_t)(end - from) + 3 < ECHO_MAX)
            n += (size_t)sprintf(to + n, "%.*s\r\n", (int)(end - from), from);
}

static int create_upload(request *r) {
    char body[KEY_MAX + 256];
    upload *u = calloc(1, sizeof *u);
    snprintf(u->key, sizeof u->key, "%s", r->path);
    copy_lines(u->echo, r->echo, 0);
    pthread_mutex_lock(&lock);
    u->id = next_upload++;
    u->next = uploads;
    uploads = u;
    pthread_mutex_unlock(&lock);
    snprintf(body, sizeof body,
             "<InitiateMultipartUploadResult><Key>%s</Key><UploadId>%d</UploadId></InitiateMultipartUploadResult>",
             u->key, u->id);
    return xml(r, "200 OK", "", body);
}

static void note_checksum(part *p, const char *echo) {
    const char *found = strcasestr(echo, "x-amz-checksum-");
    if (!found) return;
    char name[16] = "", value[128] = "";
    sscanf(found + 15, "%15[^:]: %127[^\r]", name, value);
    for (char *c = name; *c; c++) *c = *c >= 'a' && *c <= 'z' ? *c - 32 : *c;
    snprintf(p->name, sizeof p->name, "Checksum%s", name);
    snprintf(p->value, sizeof p->value, "%s", value);
}

static int put_part(request *r) {
    char number[16], headers[ECHO_MAX + 128];
    pthread_mutex_lock(&lock);
    upload *u = upload_of(r);
    if (u && parameter(r->query, "partNumber", number, sizeof number)) {
        part **at = &u->parts;
        while (*at && (*at)->number < atoi(number)) at = &(*at)->next;
        if (!*at || (*at)->number != atoi(number)) {
            part *p = calloc(1, sizeof *p);
            p->number = atoi(number);
            p->next = *at;
            *at = p;
        }
        (*at)->size = r->decoded;
        note_checksum(*at, r->echo);
    }
    pthread_mutex_unlock(&lock);
    free(r->body);
    if (!u) return error(r, "404 Not Found", "NoSuchUpload");
    snprintf(headers, sizeof headers, "ETag: %s\r\n%s", ETAG, r->echo);
    return answer(r, "200 OK", headers, NULL, 0);
}

static int complete_upload(request *r) {
    char body[KEY_MAX + 256];
    long long size = 0;
    int kept = 0;
    pthread_mutex_lock(&lock);
    upload *u = upload_of(r);
    if (u) {
        for (part *p = u->parts; p; p = p->next) size += p->size;
        copy_lines(u->echo, r->echo, 1);
        kept = keep(r, u->key, u->echo, size, NULL);
        upload **at = &uploads;
        while (*at != u) at = &(*at)->next;
        *at = u->next;
    }
    pthread_mutex_unlock(&lock);
    free(r->body);
    if (!u) return error(r, "404 Not Found", "NoSuchUpload");
    if (!kept) return error(r, "412 Precondition Failed", "PreconditionFailed");
    char extra[KEY_MAX] = "";
    part sum = {0};
    note_checksum(&sum, r->echo);
    if (*sum.name) snprintf(extra, sizeof extra, "<%s>%s</%s>", sum.name, sum.value, sum.name);
    snprintf(body, sizeof body, "<CompleteMultipartUploadResult><Key>%s</Key><ETag>%s</ETag>%s</CompleteMultipartUploadResult>",
             u->key, ETAG, extra);
    while (u->parts) {
        part *next = u->parts->next;
        free(u->parts);
        u->parts = next;
    }
    free(u);
    return xml(r, "200 OK", "", body);
}

static int list_parts(request *r) {
    pthread_mutex_lock(&lock);
    upload *u = upload_of(r);
    size_t room = 1024, n = 0;
    for (part *p = u ? u->parts : NULL; p; p = p->next) room += 512;
    char *body = malloc(room);
    n += (size_t)snprintf(body + n, room - n, "<ListPartsResult><IsTruncated>false</IsTruncated>");
    for (part *p = u ? u->parts : NULL; p; p = p->next)
        n += (size_t)snprintf(body + n, room - n,
                              "<Part><PartNumber>%d</PartNumber><Size>%lld</Size><ETag>%s</ETag><%s>%s</%s></Part>",
                              p->number, p->size, ETAG, *p->name ? p->name : "None", p->value,
                              *p->name ? p->name : "None");
    snprintf(body + n, room - n, "</ListPartsResult>");
    pthread_mutex_unlock(&lock);
    int result = u ? xml(r, "200 OK", "", body) : error(r, "404 Not Found", "NoSuchUpload");
    free(body);
    return result;
}

static int by_key(const void *a, const void *b) {
    return strcmp((*(object *const *)a)->key, (*(object *const *)b)->key);
}

static int list_objects(request *r) {
    char prefix[KEY_MAX] = "", after[KEY_MAX] = "", start[2 * KEY_MAX + 8];
    parameter(r->query, "prefix", prefix, sizeof prefix);
    parameter(r->query, "start-after", after, sizeof after);
    parameter(r->query, "continuation-token", after, sizeof after);
    size_t root = strlen(r->path);
    snprintf(start, sizeof start, "%s%s%s", r->path, root && r->path[root - 1] == '/' ? "" : "/", prefix);
    size_t bucket = strlen(start) - strlen(prefix), count = 0, n = 0, room = 1000 * 1400 + 4096;
    pthread_mutex_lock(&lock);
    object **found = malloc((size_t)(stored_objects + 1) * sizeof *found);
    for (int s = 0; s < BUCKETS; s++)
        for (object *o = objects[s]; o; o = o->next)
            if (!strncmp(o->key, start, strlen(start)) && strcmp(o->key + bucket, after) > 0) found[count++] = o;
    qsort(found, count, sizeof *found, by_key);
    char *body = malloc(room);
    n += (size_t)snprintf(body, room, "<ListBucketResult><IsTruncated>%s</IsTruncated>", count > 1000 ? "true" : "false");
    for (size_t i = 0; i < count && i < 1000; i++)
        n += (size_t)snprintf(body + n, room - n, "<Contents><Key>%s</Key><Size>%lld</Size></Contents>",
                              found[i]->key + bucket, found[i]->size);
    if (count > 1000)
        n += (size_t)snprintf(body + n, room - n, "<NextContinuationToken>%s</NextContinuationToken>", found[999]->key + bucket);
    snprintf(body + n, room - n, "</ListBucketResult>");
    pthread_mutex_unlock(&lock);
    int result = xml(r, "200 OK", "Content-Type: application/xml\r\n", body);
    free(found);
    free(body);
    return result;
}

static int look(request *r) {
    char headers[ECHO_MAX + 256];
    pthread_mutex_lock(&lock);
    object *o = find(r->path);
    if (o) snprintf(headers, sizeof headers, "ETag: %s\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n%s", ETAG, o->echo);
    pthread_mutex_unlock(&lock); /* objects are never freed */
    if (!o) return strcmp(r->method, "HEAD") ? error(r, "404 Not Found", "NoSuchKey") : answer(r, "404 Not Found", "", NULL, 0);
    if (!strcmp(r->method, "HEAD")) return answer(r, "200 OK", headers, NULL, o->size);
    if (!o->body) return error(r, "410 Gone", "NothingIsKept");
    return answer(r, "200 OK", headers, o->body, o->size);
}

static int serve(request *r) {
    int bucket_only = !strchr(r->path + 1, '/') || !strchr(r->path + 1, '/')[1];
    char unused[64];
    if (!strcmp(r->path, "/_stats")) {
        char body[128];
        snprintf(body, sizeof body, "{\"objects\": %lld, \"bytes\": %lld, \"requests\": %lld}", stored_objects, stored_bytes, requests_seen);
        return xml(r, "200 OK", "Content-Type: application/json\r\n", body);
    }
    int has_id = parameter(r->query, "uploadId", unused, sizeof unused);
    int is_uploads = parameter(r->query, "uploads", unused, sizeof unused);
    if (!strcmp(r->method, "PUT")) return bucket_only ? answer(r, "200 OK", "", NULL, 0) : has_id ? put_part(r) : put_object(r);
    if (!strcmp(r->method, "POST") && is_uploads) return create_upload(r);
    if (!strcmp(r->method, "POST") && has_id) return complete_upload(r);
    free(r->body);
    if (!strcmp(r->method, "DELETE")) return answer(r, "204 No Content", "", NULL, 0);
    if (is_uploads) return xml(r, "200 OK", "", "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>");
    if (has_id) return list_parts(r);
    if (bucket_only) return strcmp(r->method, "GET") ? answer(r, "200 OK", "", NULL, 0) : list_objects(r);
    return look(r);
}

static void read_header(request *r, const char *line) {
    const char *value = strchr(line, ':');
    if (!value) return;
    for (value++; *value == ' '; value++) {}
    if (!strncasecmp(line, "content-length:", 15)) r->length = r->decoded = atoll(value);
    if (!strncasecmp(line, "expect:", 7)) r->expects = 1;
    if (!strncasecmp(line, "if-none-match:", 14)) r->only_new = *value == '*';
    if (!strncasecmp(line, "content-type: application/json", 30)) r->json = 1;
    int checksum = !strncasecmp(line, "x-amz-checksum-", 15) && strncasecmp(line, "x-amz-checksum-algorithm", 24)
                   && strncasecmp(line, "x-amz-checksum-mode", 19);
    if (checksum || !strncasecmp(line, "x-amz-meta-", 11) || !strncasecmp(line, "content-type:", 13)) {
        size_t n = strlen(r->echo);
        snprintf(r->echo + n, sizeof r->echo - n, "%s\r\n", line);
    }
}

/* Reads one head into r and leaves what follows it at the front of head[]. */
static int read_head(request *r) {
    char *end;
    r->head[r->have] = 0;
    while (!(end = strstr(r->head, "\r\n\r\n"))) {
        if (r->have == HEAD_MAX) return -1;
        ssize_t n = recv(r->fd, r->head + r->have, HEAD_MAX - r->have, 0);
        if (n <= 0) return -1;
        r->have += (size_t)n;
        r->head[r->have] = 0;
    }
    *end = 0;
    r->length = r->decoded = 0;
    r->expects = r->only_new = r->json = 0;
    r->echo[0] = 0;
    r->body = NULL;
    long long decoded = -1;
    if (sscanf(r->head, "%7s %4095s", r->method, r->target) != 2) return -1;
    for (char *line = strstr(r->head, "\r\n"), *next; line; line = next) {
        next = strstr(line += 2, "\r\n");
        if (next) *next = 0;
        if (!strncasecmp(line, "x-amz-decoded-content-length:", 29)) decoded = atoll(line + 29);
        read_header(r, line);
    }
    if (decoded >= 0) r->decoded = decoded;
    char *query = strchr(r->target, '?');
    snprintf(r->query, sizeof r->query, "%s", query ? query + 1 : "");
    decode(r->path, sizeof r->path, r->target, query ? query : r->target + strlen(r->target));
    r->have -= (size_t)(end + 4 - r->head);
    memmove(r->head, end + 4, r->have);
    return 0;
}

static int read_body(request *r) {
    if (r->expects && send_all(r->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25)) return -1;
    char *kept = r->json && r->length <= KEPT_MAX ? calloc(1, (size_t)r->length + 1) : NULL;
    long long got = r->length < (long long)r->have ? r->length : (long long)r->have;
    if (kept) memcpy(kept, r->head, (size_t)got);
    r->have -= (size_t)got;
    memmove(r->head, r->head + got, r->have);
    while (got < r->length) {
        size_t want = r->length - got > (1 << 20) ? 1 << 20 : (size_t)(r->length - got);
        ssize_t n = kept ? recv(r->fd, kept + got, want, 0) : recv(r->fd, NULL, want, MSG_TRUNC);
        if (n <= 0) {
            free(kept);
            return -1;
        }
        got += n;
    }
    r->body = kept;
    return 0;
}

static void *connection(void *argument) {
    request *r = calloc(1, sizeof *r);
    r->fd = (int)(long)argument;
    int one = 1;
    setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    while (!read_head(r) && !read_body(r)) {
        __atomic_add_fetch(&requests_seen, 1, __ATOMIC_RELAXED);
        if (serve(r)) break;
    }
    close(r->fd);
    free(r);
    return NULL;
}

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    if (argc != 2) return 2;
    address.sin_port = htons((unsigned short)atoi(argv[1]));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 256)) {
        perror("null_s3");
        return 1;
    }
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        pthread_t thread;
        if (fd < 0) continue;
        if (pthread_create(&thread, NULL, connection, (void *)(long)fd)) close(fd);
        else pthread_detach(thread);
    }
}
