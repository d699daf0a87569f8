/* SPDX-License-Identifier: Apache-2.0 */
/* A PKCS#11 module for tests: it takes read-write sessions only, gives nothing without login, refuses a second C_Initialize, more than 1,024 bytes,
 * and two threads in one session; and it fails as it is told. */
#include "pkcs11_mock.h"

#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum {
    SESSIONS = 64,
    OBJECTS = 32,
    CALL_MAX = 1024,
    PIN_TRIES = 3
};
#define EXPORT __attribute__((visibility("default")))

typedef struct mock_session {
    bool open, busy;
    int token; /* its place in the control's array */
    bool finding, signing;
    CK_OBJECT_HANDLE found[OBJECTS];
    CK_ULONG found_count, found_at;
    CK_OBJECT_HANDLE key;
} mock_session;

/* A key that was made. */
typedef struct mock_object {
    bool used;
    int token;
    CK_OBJECT_CLASS class;
    char label[256];
    size_t label_length;
    uint8_t value[64]; /* the public key, libsodium's secret key, or the secret */
} mock_object;

static mock_control control;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over what follows */
static pid_t initialized_by;
static mock_session sessions[SESSIONS]; /* handle: place + 1 */
static mock_object objects[OBJECTS];    /* handle: place + 1 */
static bool logged_in[MOCK_TOKENS];
static int wrong_pins[MOCK_TOKENS];
static bool looked; /* the length of the slot list was asked for */
static uint64_t stream;

EXPORT mock_control *mock_pkcs11_control(void);
mock_control *mock_pkcs11_control(void)
{
    return &control;
}

/* --- faults --- */

static CK_RV fault(mock_function function)
{
    if (function == MOCK_NONE || atomic_load(&control.failing) != function)
        return CKR_OK;
    if (atomic_load(&control.skip) > 0) {
        atomic_fetch_sub(&control.skip, 1);
        return CKR_OK;
    }
    const int times = atomic_load(&control.times);
    if (times == 0)
        return CKR_OK;
    if (times > 0)
        atomic_fetch_sub(&control.times, 1);
    return atomic_load(&control.rv);
}

static CK_RV enter(mock_function function)
{
    if (initialized_by != getpid())
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    return fault(function);
}

/* --- the module --- */

static CK_RV initialize(CK_VOID_PTR arguments)
{
    const CK_C_INITIALIZE_ARGS *args = arguments;
    if (args == NULL || (args->flags & CKF_OS_LOCKING_OK) == 0)
        return CKR_CANT_LOCK;
    if (initialized_by == getpid())
        return CKR_CRYPTOKI_ALREADY_INITIALIZED;
    const CK_RV rv = fault(MOCK_INITIALIZE);
    if (rv != CKR_OK)
        return rv;
    control.initialized++;
    initialized_by = getpid();
    memset(sessions, 0, sizeof sessions);
    memset(logged_in, 0, sizeof logged_in);
    return CKR_OK;
}

static CK_RV finalize(CK_VOID_PTR reserved)
{
    (void)reserved;
    if (initialized_by != getpid())
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    control.finalized++;
    initialized_by = 0;
    return CKR_OK;
}

static void pad(CK_UTF8CHAR *out, size_t size, const char *text)
{
    memset(out, ' ', size);
    memcpy(out, text, strnlen(text, size));
}

static CK_RV get_info(CK_INFO *info)
{
    memset(info, 0, sizeof *info);
    info->cryptokiVersion = (CK_VERSION){2, 40};
    pad(info->manufacturerID, sizeof info->manufacturerID, "libraffle");
    pad(info->libraryDescription, sizeof info->libraryDescription, "a mock for tests");
    return CKR_OK;
}

/* --- slots: the first one holds a token that was never initialised, which shows CKF_RNG all the same, as SoftHSM's --- */

static CK_RV get_slot_list(CK_BBOOL present, CK_SLOT_ID *out, CK_ULONG *count)
{
    CK_SLOT_ID all[MOCK_TOKENS + 1];
    CK_ULONG n = 0;
    CK_RV rv = enter(MOCK_GET_SLOT_LIST);
    if (rv != CKR_OK)
        return rv;
    all[n++] = control.first_slot;
    for (CK_ULONG i = 0; i < MOCK_TOKENS; i++)
        if (!present || control.token[i].present)
            all[n++] = control.first_slot + 1 + i;
    pthread_mutex_lock(&lock);
    if (out == NULL)
        looked = true;
    else if (!looked)
        rv = CKR_GENERAL_ERROR;
    else if (*count < n)
        rv = CKR_BUFFER_TOO_SMALL;
    else
        memcpy(out, all, n * sizeof *all);
    pthread_mutex_unlock(&lock);
    *count = n;
    return rv;
}

/* The token in a slot; -1: never initialised; -2: none. */
static int token_in(CK_SLOT_ID slot)
{
    const CK_ULONG place = slot - control.first_slot;
    if (place == 0)
        return -1;
    return place <= MOCK_TOKENS && control.token[place - 1].present ? (int)place - 1 : -2;
}

static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    const CK_RV rv = enter(MOCK_GET_TOKEN_INFO);
    const int token = token_in(slot);
    if (rv != CKR_OK)
        return rv;
    if (token == -2)
        return CKR_TOKEN_NOT_PRESENT;
    memset(info, 0, sizeof *info);
    pad(info->label, sizeof info->label, token < 0 ? "" : control.token[token].label);
    pad(info->serialNumber, sizeof info->serialNumber, token < 0 ? "" : control.token[token].serial);
    pad(info->manufacturerID, sizeof info->manufacturerID, "libraffle");
    pad(info->model, sizeof info->model, "mock");
    info->flags = token < 0 ? CKF_RNG : CKF_RNG | CKF_TOKEN_INITIALIZED | control.token[token].flags;
    return CKR_OK;
}

/* --- sessions --- */

/* With the lock held. */
static mock_session *session_of(CK_SESSION_HANDLE handle)
{
    if (handle == 0 || handle > SESSIONS || !sessions[handle - 1].open)
        return NULL;
    return &sessions[handle - 1];
}

static CK_RV open_locked(int token, CK_SESSION_HANDLE *out)
{
    for (CK_ULONG i = 0; i < SESSIONS; i++) {
        if (sessions[i].open)
            continue;
        sessions[i] = (mock_session){.open = true, .token = token};
        *out = i + 1;
        control.opened++;
        control.sessions++;
        return CKR_OK;
    }
    return CKR_SESSION_COUNT;
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, CK_VOID_PTR application, CK_NOTIFY notify,
                          CK_SESSION_HANDLE *out)
{
    (void)application;
    (void)notify;
    CK_RV rv = enter(MOCK_OPEN_SESSION);
    const int token = token_in(slot);
    if (rv != CKR_OK)
        return rv;
    if ((flags & CKF_SERIAL_SESSION) == 0)
        return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
    if ((flags & CKF_RW_SESSION) == 0)
        return CKR_FUNCTION_FAILED; /* as CloudHSM */
    if (token < 0)
        return token == -1 ? CKR_TOKEN_NOT_RECOGNIZED : CKR_SLOT_ID_INVALID;
    pthread_mutex_lock(&lock);
    rv = open_locked(token, out);
    pthread_mutex_unlock(&lock);
    return rv;
}

/* The last session of a token takes the login with it. With the lock held. */
static void close_locked(mock_session *s)
{
    s->open = false;
    control.sessions--;
    for (int i = 0; i < SESSIONS; i++)
        if (sessions[i].open && sessions[i].token == s->token)
            return;
    logged_in[s->token] = false;
}

static CK_RV close_session(CK_SESSION_HANDLE handle)
{
    pthread_mutex_lock(&lock);
    mock_session *s = session_of(handle);
    if (s != NULL) {
        close_locked(s);
        control.closed++;
    }
    pthread_mutex_unlock(&lock);
    return s != NULL ? CKR_OK : CKR_SESSION_HANDLE_INVALID;
}

static CK_RV judge_pin(int token, const CK_UTF8CHAR *pin, CK_ULONG length)
{
    if (logged_in[token])
        return CKR_USER_ALREADY_LOGGED_IN;
    if (wrong_pins[token] >= PIN_TRIES)
        return CKR_PIN_LOCKED;
    const bool keypad = pin == NULL && (control.token[token].flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
    if (!keypad && (pin == NULL || length != strlen(control.pin) || memcmp(pin, control.pin, length) != 0)) {
        wrong_pins[token]++;
        return CKR_PIN_INCORRECT;
    }
    wrong_pins[token] = 0;
    logged_in[token] = true;
    control.good_logins++;
    return CKR_OK;
}

static CK_RV login(CK_SESSION_HANDLE handle, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG length)
{
    CK_RV rv = enter(MOCK_LOGIN);
    control.logins++;
    if (rv != CKR_OK)
        return rv;
    if (user != CKU_USER)
        return CKR_USER_TYPE_INVALID;
    pthread_mutex_lock(&lock);
    const mock_session *s = session_of(handle);
    rv = s == NULL ? CKR_SESSION_HANDLE_INVALID : judge_pin(s->token, pin, length);
    pthread_mutex_unlock(&lock);
    return rv;
}

/* --- randomness --- */

static void write_stream(CK_BYTE *out, CK_ULONG length)
{
    if (control.output == MOCK_REPEATED)
        stream = 0;
    for (CK_ULONG i = 0; i < length; i++) {
        uint64_t x = stream += UINT64_C(0x9e3779b97f4a7c15); /* SplitMix64 */
        x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
        out[i] = (CK_BYTE)(x >> 32);
    }
}

static void write_output(CK_BYTE *out, CK_ULONG length)
{
    const mock_output output = control.output;
    if (output == MOCK_STUCK)
        memset(out, 1, length);
    else if (output != MOCK_SILENT)
        write_stream(out, output == MOCK_SHORT ? length / 2 : length);
}

static void lose_sessions(void)
{
    for (int i = 0; i < SESSIONS; i++)
        if (sessions[i].open)
            close_locked(&sessions[i]);
}

/* With the lock held: the session is this thread's until end_generating(). */
static CK_RV begin_generating(CK_SESSION_HANDLE handle)
{
    if (atomic_exchange(&control.lose_all, false))
        lose_sessions();
    mock_session *s = session_of(handle);
    if (s == NULL)
        return CKR_SESSION_HANDLE_INVALID;
    if (s->busy)
        return CKR_OPERATION_ACTIVE;
    if ((control.token[s->token].flags & CKF_LOGIN_REQUIRED) != 0 && !logged_in[s->token])
        return CKR_USER_NOT_LOGGED_IN;
    s->busy = true;
    return CKR_OK;
}

static void wait_while_stalled(void)
{
    control.stalled++;
    while (atomic_load(&control.stall))
        usleep(1000);
    control.stalled--;
}

static CK_RV generate_random(CK_SESSION_HANDLE handle, CK_BYTE *out, CK_ULONG length)
{
    CK_RV rv = enter(MOCK_GENERATE_RANDOM);
    control.generated++;
    if (rv != CKR_OK)
        return rv;
    if (length > CALL_MAX)
        return CKR_ARGUMENTS_BAD;
    pthread_mutex_lock(&lock);
    if ((int)length > control.largest)
        control.largest = (int)length;
    rv = begin_generating(handle);
    pthread_mutex_unlock(&lock);
    if (rv != CKR_OK)
        return rv;
    wait_while_stalled();
    pthread_mutex_lock(&lock);
    write_output(out, length);
    sessions[handle - 1].busy = false;
    pthread_mutex_unlock(&lock);
    return CKR_OK;
}

static CK_RV seed_random(CK_SESSION_HANDLE handle, CK_BYTE *seed, CK_ULONG length)
{
    (void)handle;
    (void)seed;
    (void)length;
    return CKR_FUNCTION_NOT_SUPPORTED; /* as CloudHSM */
}

/* --- keys: templates must say that a pair stays inside --- */

EXPORT void mock_pkcs11_clear(void);
void mock_pkcs11_clear(void)
{
    memset(objects, 0, sizeof objects);
    control.objects = 0;
}

static const CK_ATTRIBUTE *attribute_of(const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type)
{
    for (CK_ULONG i = 0; i < count; i++)
        if (template[i].type == type)
            return &template[i];
    return NULL;
}

static bool says(const CK_ATTRIBUTE *template, CK_ULONG count, CK_ATTRIBUTE_TYPE type, CK_BBOOL value)
{
    const CK_ATTRIBUTE *a = attribute_of(template, count, type);
    return a != NULL && a->ulValueLen == sizeof value && memcmp(a->pValue, &value, sizeof value) == 0;
}

/* With the lock held. NULL: it is full. */
static mock_object *add_object(int token, CK_OBJECT_CLASS class, const CK_ATTRIBUTE *label, CK_OBJECT_HANDLE *handle)
{
    for (CK_ULONG i = 0; label != NULL && i < OBJECTS; i++) {
        if (objects[i].used)
            continue;
        objects[i] = (mock_object){.used = true, .token = token, .class = class, .label_length = label->ulValueLen};
        memcpy(objects[i].label, label->pValue, label->ulValueLen);
        *handle = i + 1;
        control.objects++;
        return &objects[i];
    }
    return NULL;
}

/* Enters a function on a session that is logged in, with the lock held on CKR_OK. */
static CK_RV enter_session(mock_function function, CK_SESSION_HANDLE handle, mock_session **out)
{
    CK_RV rv = enter(function);
    if (rv != CKR_OK)
        return rv;
    pthread_mutex_lock(&lock);
    *out = session_of(handle);
    if (*out == NULL)
        rv = CKR_SESSION_HANDLE_INVALID;
    else if (!logged_in[(*out)->token])
        rv = CKR_USER_NOT_LOGGED_IN;
    if (rv != CKR_OK)
        pthread_mutex_unlock(&lock);
    return rv;
}

static CK_RV generate_pair(CK_SESSION_HANDLE handle, CK_MECHANISM *mechanism, CK_ATTRIBUTE *open, CK_ULONG open_count,
                           CK_ATTRIBUTE *hidden, CK_ULONG hidden_count, CK_OBJECT_HANDLE *public_key,
                           CK_OBJECT_HANDLE *private_key)
{
    static const CK_BYTE oid[] = {0x06, 0x03, 0x2b, 0x65, 0x70};
    static const char name[] = "\x13\x0c"
                               "edwards25519";
    mock_session *s;
    CK_RV rv = enter_session(MOCK_GENERATE_KEY, handle, &s);
    if (rv != CKR_OK)
        return rv;
    const CK_ATTRIBUTE *curve = attribute_of(open, open_count, CKA_EC_PARAMS);
    const void *expected = control.named_curve ? (const void *)name : oid;
    const size_t length = control.named_curve ? sizeof name - 1 : sizeof oid;
    if (mechanism->mechanism != CKM_EC_EDWARDS_KEY_PAIR_GEN)
        rv = CKR_MECHANISM_INVALID;
    else if (curve == NULL || curve->ulValueLen != length || memcmp(curve->pValue, expected, length) != 0)
        rv = CKR_CURVE_NOT_SUPPORTED;
    else if (!says(hidden, hidden_count, CKA_SENSITIVE, CK_TRUE) ||
             !says(hidden, hidden_count, CKA_EXTRACTABLE, CK_FALSE) ||
             !says(hidden, hidden_count, CKA_TOKEN, CK_TRUE) || !says(hidden, hidden_count, CKA_PRIVATE, CK_TRUE) ||
             !says(hidden, hidden_count, CKA_SIGN, CK_TRUE) || !says(open, open_count, CKA_TOKEN, CK_TRUE))
        rv = CKR_TEMPLATE_INCOMPLETE;
    for (int i = 0; rv == CKR_OK && i < (control.rival ? 2 : 1); i++) {
        mock_object *a = add_object(s->token, CKO_PUBLIC_KEY, attribute_of(open, open_count, CKA_LABEL), public_key);
        mock_object *b =
            add_object(s->token, CKO_PRIVATE_KEY, attribute_of(hidden, hidden_count, CKA_LABEL), private_key);
        if (a == NULL || b == NULL)
            rv = CKR_DEVICE_MEMORY;
        else
            crypto_sign_keypair(a->value, b->value);
    }
    pthread_mutex_unlock(&lock);
    return rv;
}

static CK_RV generate_key(CK_SESSION_HANDLE handle, CK_MECHANISM *mechanism, CK_ATTRIBUTE *template, CK_ULONG count,
                          CK_OBJECT_HANDLE *key)
{
    mock_session *s;
    CK_RV rv = enter_session(MOCK_GENERATE_KEY, handle, &s);
    if (rv != CKR_OK)
        return rv;
    mock_object *made = NULL;
    if (mechanism->mechanism != CKM_GENERIC_SECRET_KEY_GEN)
        rv = CKR_MECHANISM_INVALID;
    else if (!says(template, count, CKA_PRIVATE, CK_TRUE) || !says(template, count, CKA_TOKEN, CK_TRUE))
        rv = CKR_TEMPLATE_INCOMPLETE;
    else if ((made = add_object(s->token, CKO_SECRET_KEY, attribute_of(template, count, CKA_LABEL), key)) == NULL)
        rv = CKR_DEVICE_MEMORY;
    else
        randombytes_buf(made->value, 32);
    pthread_mutex_unlock(&lock);
    return rv;
}

static CK_RV destroy_object(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object)
{
    mock_session *s;
    CK_RV rv = enter_session(MOCK_NONE, handle, &s);
    if (rv != CKR_OK)
        return rv;
    if (object == 0 || object > OBJECTS || !objects[object - 1].used) {
        rv = CKR_OBJECT_HANDLE_INVALID;
    } else {
        objects[object - 1].used = false;
        control.objects--;
    }
    pthread_mutex_unlock(&lock);
    return rv;
}

static bool is_wanted(const mock_session *s, const mock_object *o, const CK_ATTRIBUTE *class, const CK_ATTRIBUTE *label)
{
    return o->used && o->token == s->token && class != NULL && memcmp(class->pValue, &o->class, sizeof o->class) == 0 &&
           label != NULL && label->ulValueLen == o->label_length &&
           memcmp(label->pValue, o->label, o->label_length) == 0;
}

static CK_RV find_objects_init(CK_SESSION_HANDLE handle, CK_ATTRIBUTE *template, CK_ULONG count)
{
    mock_session *s;
    CK_RV rv = enter_session(MOCK_FIND_OBJECTS, handle, &s);
    if (rv != CKR_OK)
        return rv;
    rv = s->finding ? CKR_OPERATION_ACTIVE : CKR_OK;
    s->finding = true;
    s->found_count = s->found_at = 0;
    for (CK_ULONG i = 0; i < OBJECTS; i++)
        if (is_wanted(s, &objects[i], attribute_of(template, count, CKA_CLASS),
                      attribute_of(template, count, CKA_LABEL)))
            s->found[s->found_count++] = i + 1;
    pthread_mutex_unlock(&lock);
    return rv;
}

static CK_RV find_objects(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE *out, CK_ULONG max, CK_ULONG *count)
{
    mock_session *s;
    CK_RV rv = enter_session(MOCK_NONE, handle, &s);
    if (rv != CKR_OK)
        return rv;
    rv = s->finding ? CKR_OK : CKR_OPERATION_NOT_INITIALIZED;
    for (*count = 0; *count < max && s->found_at < s->found_count;)
        out[(*count)++] = s->found[s->found_at++];
    pthread_mutex_unlock(&lock);
    return rv;
}

static CK_RV find_objects_final(CK_SESSION_HANDLE handle)
{
    mock_session *s;
    CK_RV rv = enter_session(MOCK_NONE, handle, &s);
    if (rv != CKR_OK)
        return rv;
    rv = s->finding ? CKR_OK : CKR_OPERATION_NOT_INITIALIZED;
    s->finding = false;
    pthread_mutex_unlock(&lock);
    return rv;
}

static CK_RV give(CK_ATTRIBUTE *a, const uint8_t *bytes, CK_ULONG length)
{
    if (a->ulValueLen < length) {
        a->ulValueLen = CK_UNAVAILABLE_INFORMATION;
        return CKR_BUFFER_TOO_SMALL;
    }
    memcpy(a->pValue, bytes, length);
    a->ulValueLen = length;
    return CKR_OK;
}

static CK_RV give_point(CK_ATTRIBUTE *a, const mock_object *o)
{
    uint8_t wrapped[34] = {control.point == MOCK_OTHER ? 0x03 : 0x04, 32};
    memcpy(wrapped + 2, o->value, 32);
    if (control.point == MOCK_RAW || control.point == MOCK_CUT)
        return give(a, o->value, control.point == MOCK_RAW ? 32 : 31);
    return give(a, wrapped, sizeof wrapped);
}

static CK_RV get_attribute(CK_SESSION_HANDLE handle, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *a, CK_ULONG count)
{
    mock_session *s;
    CK_RV rv = enter_session(MOCK_GET_ATTRIBUTE, handle, &s);
    if (rv != CKR_OK)
        return rv;
    const mock_object *o = object == 0 || object > OBJECTS ? NULL : &objects[object - 1];
    if (o == NULL || !o->used || count != 1)
        rv = CKR_OBJECT_HANDLE_INVALID;
    else if (o->class == CKO_PUBLIC_KEY && a->type == CKA_EC_POINT)
        rv = give_point(a, o);
    else if (o->class == CKO_SECRET_KEY && a->type == CKA_VALUE && !control.keeps_secrets)
        rv = give(a, o->value, 32);
    else
        rv = CKR_ATTRIBUTE_SENSITIVE;
    pthread_mutex_unlock(&lock);
    return rv;
}

static CK_RV sign_init(CK_SESSION_HANDLE handle, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    mock_session *s;
    CK_RV rv = enter_session(MOCK_NONE, handle, &s);
    if (rv != CKR_OK)
        return rv;
    if (s->signing)
        rv = CKR_OPERATION_ACTIVE;
    else if (mechanism->mechanism != CKM_EDDSA || mechanism->pParameter != NULL)
        rv = CKR_MECHANISM_INVALID;
    else if (key == 0 || key > OBJECTS || objects[key - 1].class != CKO_PRIVATE_KEY)
        rv = CKR_KEY_HANDLE_INVALID;
    s->signing = rv == CKR_OK || s->signing;
    s->key = key;
    pthread_mutex_unlock(&lock);
    return rv;
}

static CK_RV sign(CK_SESSION_HANDLE handle, CK_BYTE *data, CK_ULONG length, CK_BYTE *out, CK_ULONG *out_length)
{
    mock_session *s;
    CK_RV rv = enter_session(MOCK_NONE, handle, &s);
    if (rv != CKR_OK)
        return rv;
    rv = !s->signing ? CKR_OPERATION_NOT_INITIALIZED : *out_length < 64 ? CKR_BUFFER_TOO_SMALL : fault(MOCK_SIGN);
    s->signing = false;
    if (rv == CKR_OK)
        crypto_sign_detached(out, NULL, data, length, objects[s->key - 1].value);
    *out_length = 64;
    pthread_mutex_unlock(&lock);
    return rv;
}

static CK_FUNCTION_LIST functions = {
    .version = {2, 40},
    .C_Initialize = initialize,
    .C_Finalize = finalize,
    .C_GetInfo = get_info,
    .C_GetSlotList = get_slot_list,
    .C_GetTokenInfo = get_token_info,
    .C_OpenSession = open_session,
    .C_CloseSession = close_session,
    .C_Login = login,
    .C_SeedRandom = seed_random,
    .C_GenerateRandom = generate_random,
    .C_GenerateKeyPair = generate_pair,
    .C_GenerateKey = generate_key,
    .C_DestroyObject = destroy_object,
    .C_FindObjectsInit = find_objects_init,
    .C_FindObjects = find_objects,
    .C_FindObjectsFinal = find_objects_final,
    .C_GetAttributeValue = get_attribute,
    .C_SignInit = sign_init,
    .C_Sign = sign,
};

EXPORT CK_RV C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    functions.C_GetFunctionList = C_GetFunctionList;
    *list = &functions;
    return CKR_OK;
}
