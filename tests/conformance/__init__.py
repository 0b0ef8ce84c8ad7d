"""Applications that only echo, against cases that say what must come out.

- `case`: a case, and where cases are read from
- `message_case`: a case of messages over events or WebSockets, instead of a request
- `echo`: the application of a case
- `annotation`, `model`: types of its parameters and of its body
- `exchange`: the request of a case, sent over a socket
- `lifecycle`: hooks by name
- `reference`: what a text becomes, written a second time
- `vocabulary`: the error types of older cases
- `verdict`: whether the outcome is what the case demands
- `application`: cases whose answer only an application can give
- `answer_case`: a case whose subject is the answer: files, streams, codings, work behind it
"""
