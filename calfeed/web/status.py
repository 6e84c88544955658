from flask import Blueprint
blueprint = Blueprint("status", __name__)
