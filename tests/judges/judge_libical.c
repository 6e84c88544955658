/* libical: is the calendar valid, and when does everything in it happen?
   In: one calendar on stdin; since and until as seconds since 1970. Out: a line of faults, empty where there are none, then start, end, title. */

#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct around { icalcomponent *calendar, *event; };

static void told(time_t when, int is_date)
{
    char text[32];
    strftime(text, sizeof text, is_date ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%SZ", gmtime(&when));
    printf("%s\t", text);
}

/* An occurrence that has an override stands elsewhere: libical leaves it to its caller to know. */
static int is_replaced(struct around *at, time_t start)
{
    icalcomponent *each = icalcomponent_get_first_component(at->calendar, ICAL_VEVENT_COMPONENT);
    for (; each; each = icalcomponent_get_next_component(at->calendar, ICAL_VEVENT_COMPONENT)) {
        icalproperty *id = icalcomponent_get_first_property(each, ICAL_RECURRENCEID_PROPERTY);
        if (id && !strcmp(icalcomponent_get_uid(each), icalcomponent_get_uid(at->event))) {
            icaltimetype when = icalproperty_get_datetime_with_component(id, each);
            if (icaltime_as_timet_with_zone(when, when.zone) == start) return 1;
        }
    }
    return 0;
}

static void occurs(icalcomponent *event, struct icaltime_span *span, void *data)
{
    struct around *at = data;
    int is_date = icalcomponent_get_dtstart(event).is_date;
    int is_override = !icaltime_is_null_time(icalcomponent_get_recurrenceid(event));
    if (is_override || !is_replaced(at, span->start)) {
        told(span->start, is_date);
        told(span->end, is_date);
        printf("%s\n", icalcomponent_get_summary(event));
    }
}

/* What breaks a restriction or cannot be parsed becomes an X-LIC-ERROR where it stands. */
static void tell_errors(icalcomponent *within)
{
    icalproperty *error = icalcomponent_get_first_property(within, ICAL_XLICERROR_PROPERTY);
    for (; error; error = icalcomponent_get_next_property(within, ICAL_XLICERROR_PROPERTY))
        printf("%s; ", icalproperty_get_xlicerror(error));
    icalcomponent *each = icalcomponent_get_first_component(within, ICAL_ANY_COMPONENT);
    for (; each; each = icalcomponent_get_next_component(within, ICAL_ANY_COMPONENT)) tell_errors(each);
}

int main(int count, char **words)
{
    static char text[1 << 24];
    text[fread(text, 1, sizeof text - 1, stdin)] = 0;
    icalcomponent *calendar = icalparser_parse_string(text);
    if (count != 3 || !calendar) return 1;
    icalrestriction_check(calendar);
    tell_errors(calendar);
    printf("\n");
    icaltimetype since = icaltime_from_timet_with_zone(atol(words[1]), 0, icaltimezone_get_utc_timezone());
    icaltimetype until = icaltime_from_timet_with_zone(atol(words[2]), 0, icaltimezone_get_utc_timezone());
    /* The walk over components is one for each calendar: events are gathered first, so that is_replaced may walk too. */
    int most = icalcomponent_count_components(calendar, ICAL_VEVENT_COMPONENT), found = 0;
    icalcomponent **events = calloc(most + 1, sizeof *events);
    for (icalcomponent *e = icalcomponent_get_first_component(calendar, ICAL_VEVENT_COMPONENT); e;
         e = icalcomponent_get_next_component(calendar, ICAL_VEVENT_COMPONENT))
        events[found++] = e;
    for (int i = 0; i < found; i++) {
        struct around at = {calendar, events[i]};
        icalcomponent_foreach_recurrence(events[i], since, until, occurs, &at);
    }
    return 0;
}
